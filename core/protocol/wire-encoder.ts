import { lineFeed, type Encoded } from './kernel-interface.ts';
import { kernel } from './kernel.ts';
import { TornMessage } from './torn-message.ts';

/**
 * Turns a message as stored into the octets of a multi-line response (RFC 1939 section 3): a bare LF becomes CRLF, a
 * dot at a line start gets another, a missing last CRLF is added, and the lone dot ends it. A bare CR, and what stands
 * before CRLF, stay as they are. It writes into the caller's output slab and holds no octets itself:
 *
 *     while (chunk.length > 0) {
 *       const { readOctets, writtenOctets } = encoder.encodeInto(chunk, slab, used);
 *       used += writtenOctets;
 *       chunk = chunk.subarray(readOctets);
 *       if (chunk.length > 0) used = await sendAndRenew();
 *     }
 *     ... encoder.end(), at most 5 octets more
 */
export class WireEncoder {
  #previousOctet = lineFeed;
  #bodyOctets = 0;

  /**
   * Octets of the message so far as RFC 1939 section 11 counts them: line ends as CRLF, the added last one included,
   * byte-stuffing and the lone dot not. After `end` it is what `OctetCounter` gives for the same message.
   */
  get bodyOctets(): number {
    return this.#bodyOctets;
  }

  /**
   * Encodes from the start of `source` into `target` from `at` on until all is read or `target` is as good as full:
   * with room for `minRoomOctets` it always gets on, with twice the source's length it always reads all.
   */
  encodeInto(source: Uint8Array, target: Uint8Array, at = 0): Encoded {
    const encoded = kernel.encodeInto(source, target, this.#previousOctet, at);
    this.#previousOctet = source[encoded.readOctets - 1] ?? this.#previousOctet;
    this.#bodyOctets += encoded.readOctets + encoded.bareLineFeeds;
    return encoded;
  }

  /**
   * What comes after the last chunk: the line end if the message lacks one, and the lone dot. Call it once. Throws a
   * TornMessage where the message has fewer octets than were promised: a lone dot would say that it is whole.
   */
  end(promisedOctets = 0): Uint8Array {
    const lacksLineEnd = this.#previousOctet !== lineFeed;
    this.#previousOctet = lineFeed;
    if (lacksLineEnd) this.#bodyOctets += 2;
    if (this.#bodyOctets < promisedOctets) throw new TornMessage(promisedOctets, this.#bodyOctets);
    return lacksLineEnd ? lineEndAndLoneDot : loneDot;
  }

  /** Makes it ready for another message. */
  reset(): void {
    this.#previousOctet = lineFeed;
    this.#bodyOctets = 0;
  }
}

const loneDot = Buffer.from('.\r\n');
const lineEndAndLoneDot = Buffer.from('\r\n.\r\n');
