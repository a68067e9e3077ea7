import type { LoginAttempt } from './login.ts';

/**
 * A SASL mechanism (RFC 5034): a conversation written as a generator, in octets: base64 and the `*` are AUTH's. No command asks for one yet.
 */
export interface Mechanism {
  /** As in `AUTH name` and in the SASL line of CAPA: upper case. */
  readonly name: string;
  /** True where the password crosses the wire as it is, so that it is for TLS only. */
  readonly plaintext: boolean;
  /** Yields challenges, is given the client's responses, and returns what to authenticate. */
  exchange(initial: Uint8Array | undefined): AsyncGenerator<Uint8Array, LoginAttempt, Uint8Array>;
}
