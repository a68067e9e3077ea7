import type { Message } from './mail.ts';
import type { Place } from './places.ts';

const nothing = Buffer.alloc(0);

/** One user's mail, and what the bench knows to be in it. */
export class Mailbox {
  readonly user: string;
  readonly #place: Place;
  #messages: readonly Message[];
  /** Summed when it is first asked for: over a hundred thousand messages that takes as long as many a login. */
  #totalOctets: number | undefined;
  /** Unique-ids as they were told last; of as many messages as the client has seen. */
  #uids: readonly string[] = [];
  /** What UIDL said last. */
  #listing: Buffer = nothing;

  constructor(user: string, place: Place, messages: readonly Message[]) {
    this.user = user;
    this.#place = place;
    this.#messages = messages;
  }

  static create(user: string, place: Place, messages: readonly Message[]): Mailbox {
    place.create();
    place.add(messages);
    return new Mailbox(user, place, messages);
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Its unique-ids have been told, so that a server has had to look at it. */
  get isKnown(): boolean {
    return this.#uids.length === this.#messages.length;
  }

  get totalOctets(): number {
    return (this.#totalOctets ??= this.#messages.reduce((sum, { octets }) => sum + octets, 0));
  }

  /** Mail comes in. No session of this user is open, so no lock is needed. */
  deliver(messages: readonly Message[]): void {
    this.#place.add(messages);
    this.#become([...this.#messages, ...messages]);
  }

  /** Its mail is wanted no more. */
  clear(): void {
    this.#place.clear();
  }

  /** A session has deleted its first messages. */
  forget(count: number): void {
    if (count === 0) return;
    this.#become(this.#messages.slice(count));
    this.#uids = this.#uids.slice(count);
    this.#listing = nothing;
  }

  /**
   * Takes what UIDL said and gives how many of the messages were known already. Throws where a message has changed its
   * unique-id, two have one, or the list is not of these messages.
   */
  learnUids(listing: Buffer): number {
    const known = this.#uids;
    if (listing.equals(this.#listing) && known.length === this.#messages.length) return known.length;
    const lines = listing.toString('latin1').split('\r\n').slice(0, -1);
    const uids = lines.map((line) => line.slice(line.indexOf(' ') + 1));
    const numbered = lines.every((line, index) => line === `${index + 1} ${uids[index]}`);
    if (!numbered || uids.length !== this.#messages.length)
      throw new Error(`UIDL lists other messages: ${lines.join(', ')}`);
    if (new Set(uids).size !== uids.length)
      throw new Error(`UIDL gives two messages one id: ${lines.join(', ')}`);
    const changed = known.findIndex((uid, index) => uids[index] !== uid);
    if (changed !== -1)
      throw new Error(`message ${changed + 1} had the id ${known[changed]} and has ${uids[changed]}`);
    this.#uids = uids;
    this.#listing = listing;
    return known.length;
  }

  #become(messages: readonly Message[]): void {
    this.#messages = messages;
    this.#totalOctets = undefined;
  }
}
