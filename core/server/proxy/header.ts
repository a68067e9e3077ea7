import type { Peer } from '../../session/channel.ts';

/** What a proxy says of a connection before its client's first octet (haproxy's "PROXY protocol", versions 1 and 2). */
export interface ProxyHeader {
  /** Its length; what comes after it is the client's. */
  readonly octets: number;
  /** Undefined where the proxy speaks for itself (a health check) or does not know: the socket's own addresses hold. */
  readonly client: ProxiedClient | undefined;
}

export interface ProxiedClient {
  readonly peer: Peer;
  /** What the client connected to: an address of the proxy. */
  readonly local: Peer;
}

/** Why it is no header, for the log. */
export class MalformedHeader extends Error {}
