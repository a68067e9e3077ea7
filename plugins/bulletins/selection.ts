import type { Identity } from 'popperd';

import { addressOf } from './address.ts';
import { readBulletin } from './bulletin-file.ts';
import type { BulletinFolder, Listing } from './bulletin-folder.ts';
import { type BulletinName, readable } from './bulletin-name.ts';
import { addressedTo, type BulletinText, fieldOf, parseBulletin } from './bulletin-text.ts';
import type { Complaints } from './complaints.ts';
import { expiryMs } from './expiry.ts';
import type { Groups } from './groups.ts';

/** A bulletin as one user is to get it. */
export interface Addressed {
  readonly bulletin: BulletinName;
  readonly octets: Uint8Array;
}

/** What a user is to get now. */
export interface Selection {
  readonly messages: readonly Addressed[];
  /** What his counter is to say: up to this number all are among the messages, or not for him. */
  readonly reached: number;
}

export interface SelectorOptions {
  readonly folder: BulletinFolder;
  readonly groups: Groups;
  /** For the `To:` of users whose name has no domain. */
  readonly host: string;
  readonly complaints: Complaints;
}

/** Finds out which bulletins a user gets, and makes them his. */
export class Selector {
  readonly #options: SelectorOptions;

  constructor(options: SelectorOptions) {
    this.#options = options;
  }

  /**
   * All with a higher number, ascending, up to the first that cannot be read: that one and those behind it are left to another
   * session, so that none is ever skipped. A number is done when all files that have it are.
   */
  async above(number: number, { bulletins, highest }: Listing, identity: Identity): Promise<Selection> {
    const messages: Addressed[] = [];
    let reached = number;
    const next = bulletins.filter((bulletin) => bulletin.number > number);
    for (const [current, files] of Map.groupBy(next, (bulletin) => bulletin.number)) {
      const found = await this.#allOf(files, identity);
      if (found === undefined) return { messages, reached };
      messages.push(...found);
      reached = current;
    }
    return { messages, reached: Math.max(highest, number) };
  }

  /** The number above which a new user gets the newest `count` of those that are for him. Throws where a group cannot be looked up. */
  async startOf({ bulletins, highest }: Listing, count: number, identity: Identity): Promise<number> {
    if (count === 0) return highest;
    const numbers = new Set<number>();
    for (const { number, group } of bulletins.toReversed()) {
      if (!(await this.#options.groups.has(group, identity))) continue;
      numbers.add(number);
      if (numbers.size === count) return number - 1;
    }
    return 0;
  }

  async #allOf(
    files: readonly BulletinName[],
    identity: Identity,
  ): Promise<readonly Addressed[] | undefined> {
    const messages: Addressed[] = [];
    for (const bulletin of files) {
      const isFor = await this.#isFor(bulletin, identity);
      if (isFor === false) continue;
      const text = isFor === true ? await this.#read(bulletin, identity) : undefined;
      if (text === undefined) return undefined;
      if (this.#isExpired(text, bulletin)) continue;
      const octets = addressedTo(addressOf(identity.user, this.#options.host), text);
      messages.push({ bulletin, octets });
    }
    return messages;
  }

  /** undefined where nobody can tell, which the log says. */
  async #isFor({ name, group }: BulletinName, identity: Identity): Promise<boolean | undefined> {
    try {
      return await this.#options.groups.has(group, identity);
    } catch (error) {
      this.#options.complaints.group(this.#shownPathOf(name), identity.user, error);
      return undefined;
    }
  }

  async #read({ name }: BulletinName, { user }: Identity): Promise<BulletinText | undefined> {
    const { folder, complaints } = this.#options;
    try {
      const text = parseBulletin(await readBulletin(folder.pathOf(name)));
      if (text === undefined) complaints.envelope(this.#shownPathOf(name), user);
      return text;
    } catch (error) {
      complaints.file(this.#shownPathOf(name), user, error);
      return undefined;
    }
  }

  #isExpired(text: BulletinText, { name }: BulletinName): boolean {
    const expires = fieldOf(text, 'expires');
    if (expires === undefined) return false;
    const timeMs = expiryMs(expires);
    if (timeMs === undefined) this.#options.complaints.expiry(this.#shownPathOf(name), expires);
    return timeMs !== undefined && timeMs < Date.now();
  }

  #shownPathOf(name: string): string {
    return readable(this.#options.folder.pathOf(name).toString('latin1'));
  }
}
