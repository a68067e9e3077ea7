import type { Line } from '../protocol/line-reader.ts';
import type { Reply } from '../protocol/reply.ts';

/** Who is at the other end of a connection. */
export interface Peer {
  /** IP address, or `unix` for a unix socket and `pipe` where there is no socket. */
  readonly address: string;
  /** TCP port; 0 where there is none. */
  readonly port: number;
}

/** What is known of a connection from its beginning. */
export interface ConnectionFacts {
  /** Unique within the daemon's life; stands in every log line of the session. */
  readonly id: string;
  readonly peer: Peer;
  /** The address and port that the client connected to. */
  readonly local: Peer;
  /** Nobody on the way can read or change what is said. */
  readonly secure: boolean;
  /** What TLS came to, where this server speaks it with the client. */
  readonly tls?: TlsFacts;
  /** Fires when the client is gone or the daemon stops for good: pass it to whatever can wait. */
  readonly signal: AbortSignal;
}

/** As the handshake left it. */
export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** The name that the standards have for it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
}

/** Why a channel has no more lines; `handshake`: TLS came to nothing. */
export type Ending = 'disconnected' | 'idle' | 'stopped' | 'kicked' | 'abuse' | 'handshake' | 'crowded';

/** One client connection, as lines in and replies out. */
export interface Channel {
  readonly facts: ConnectionFacts;
  /**
   * The next command line, or undefined once there will be no more: `ending` then says why. Replies sent before are
   * on their way when it waits.
   */
  readLine(): Promise<Line | undefined>;
  /** Set once `readLine` has given undefined. */
  readonly ending: Ending | undefined;
  /**
   * What the client sends after a go-ahead, up to the line that is a lone dot, byte-stuffing undone. Throws a Failure
   * where the client leaves before that line: what it meant to say is not known.
   */
  readBody(): AsyncIterable<Uint8Array>;
  /** Octets as they come, before any line is read (the `preface` hook); undefined at the end of input. */
  readOctets(): Promise<Uint8Array | undefined>;
  /**
   * Resolves when the reply may be forgotten: bounded by what the client reads (back-pressure). Throws a TornMessage
   * where its body falls short of `promisedOctets`, and what its body throws: either way the response has no end, and
   * nothing may be sent after it. A promise where anything has to be waited for.
   */
  send(reply: Reply): SentReply | Promise<SentReply>;
  /**
   * Says `go` and goes on over TLS; `facts` tell of it then. Gives the reason where that comes to nothing: there is no line
   * any more, and nothing may be said. Where the client sent anything after its command, `go` is not said either.
   */
  startTls(go: Reply): Promise<string | undefined>;
  /** The login is done: from now on the idle timer runs, and no longer the login deadline. */
  loggedIn(): void;
  readonly received: number;
  readonly sent: number;
}

/** What a reply came to on the wire. */
export interface SentReply {
  /**
   * Octets of the body as RFC 1939 section 11 counts them: without byte-stuffing and the final dot; 0 without body, and
   * undefined where the client was gone before its end, or the session is to end before its beginning.
   */
  readonly bodyOctets: number | undefined;
}
