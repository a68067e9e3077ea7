import { lineFeed } from './kernel-interface.ts';
import { kernel } from './kernel.ts';

/**
 * Counts the octets of a message as RETR sends them (RFC 1939 section 11), from the message as stored: a bare LF counts
 * as CRLF, a missing last line end as CRLF, byte-stuffing and the lone dot not at all. An empty message has none.
 */
export class OctetCounter {
  #previousOctet = lineFeed;
  #octets = 0;

  add(chunk: Uint8Array): void {
    this.#octets += chunk.length + kernel.countBareLineFeeds(chunk, this.#previousOctet);
    this.#previousOctet = chunk.at(-1) ?? this.#previousOctet;
  }

  /** The message's octets; the counter is ready for another one. */
  end(): number {
    const octets = this.#previousOctet === lineFeed ? this.#octets : this.#octets + 2;
    this.#previousOctet = lineFeed;
    this.#octets = 0;
    return octets;
  }
}
