/** Where records go: a unix datagram socket, or a host that receives them. */
export type Destination = { readonly kind: 'unix'; readonly path: string } | RemoteHost;

export interface RemoteHost {
  readonly kind: 'udp' | 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
}

/** RFC 5426, RFC 6587 and RFC 5425. */
const ports: Readonly<Record<string, Pick<RemoteHost, 'kind' | 'port'>>> = {
  udp: { kind: 'udp', port: 514 },
  tcp: { kind: 'tcp', port: 601 },
  tls: { kind: 'tls', port: 6514 },
};
const maxPort = 65_535;

/** What can be said: `/dev/log`, `@name`, `udp://host`, `tcp://host:port`, `tls://host`. Undefined for anything else. */
export const parseDestination = (text: string): Destination | undefined =>
  unixForm.test(text) ? { kind: 'unix', path: text } : parseRemote(text);

const unixForm = /^[/@][^\0]{1,106}$/;
const remoteForm =
  /^(?<scheme>udp|tcp|tls):\/\/(?:\[(?<ipv6>[\da-f:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/i;

function parseRemote(text: string): RemoteHost | undefined {
  const { scheme = '', ipv6, name, port: given } = remoteForm.exec(text)?.groups ?? {};
  const usual = ports[scheme.toLowerCase()];
  const host = ipv6 ?? name;
  if (usual === undefined || host === undefined) return undefined;
  const port = given === undefined ? usual.port : Number(given);
  return port < 1 || port > maxPort ? undefined : { kind: usual.kind, host, port };
}

/** The same as text, for who reads of it. */
export const shownDestination = (to: Destination): string =>
  to.kind === 'unix'
    ? to.path
    : `${to.kind}://${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`;
