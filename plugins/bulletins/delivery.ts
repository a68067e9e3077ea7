import { type AppendableMaildrop, canAppend, type Identity, type Maildrop } from 'popperd';

import type { BulletinFolder, Listing } from './bulletin-folder.ts';
import { readable } from './bulletin-name.ts';
import type { Complaints } from './complaints.ts';
import type { CounterFiles } from './counter-files.ts';
import { Counter, type NextNumber } from './counter.ts';
import { OverlayBox } from './overlay-box.ts';
import { OverlayMaildrop } from './overlay-maildrop.ts';
import type { Places } from './places.ts';
import type { Addressed, Selection, Selector } from './selection.ts';
import { UncountedMaildrop } from './uncounted-maildrop.ts';

export interface DeliveryOptions {
  readonly folder: BulletinFolder;
  readonly selector: Selector;
  readonly places: Places;
  readonly files: CounterFiles;
  readonly complaints: Complaints;
  /** So many of the newest bulletins a user gets who never had one. */
  readonly newUserBulletins: number;
}

/** Brings users what is new. */
export class Delivery {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** The maildrop to go on with: with new bulletins at its end, or as it was where there is none or something is wrong. */
  async into(maildrop: Maildrop, identity: Identity): Promise<Maildrop> {
    const { complaints, places } = this.#options;
    try {
      if (!canAppend(maildrop))
        return await this.#beside(maildrop, await places.madeBoxOf(identity), identity);
      const folder = await places.boxOf(identity);
      const box = folder === undefined ? undefined : new OverlayBox(folder);
      const boxed = (await box?.list()) ?? [];
      const delivered = await this.#deliver(maildrop, identity);
      // They came when the store could not append, and stay until their user deletes them.
      return box === undefined || boxed.length === 0 ? delivered : new OverlayMaildrop(delivered, box, boxed);
    } catch (error) {
      complaints.overlay(identity.user, error);
      return maildrop;
    }
  }

  async #beside(maildrop: Maildrop, folder: string, identity: Identity): Promise<Maildrop> {
    const box = new OverlayBox(folder);
    return this.#deliver(new OverlayMaildrop(maildrop, box, await box.list()), identity);
  }

  /** Throws nothing: once a store has appended, the maildrop that it was given is no good any more. */
  async #deliver(maildrop: AppendableMaildrop, identity: Identity): Promise<Maildrop> {
    const errand = await this.#prepare(identity);
    if (errand === undefined) return maildrop;
    const { messages, next } = errand;
    const filled = messages.length === 0 ? maildrop : await this.#append(maildrop, messages, identity);
    if (filled === undefined) {
      await next.abandon();
      return maildrop;
    }
    return this.#count(filled, errand, identity);
  }

  /** undefined where there is nothing to do, or it cannot be done. */
  async #prepare(identity: Identity): Promise<Errand | undefined> {
    const { complaints } = this.#options;
    const listing = await this.#list(identity);
    if (listing === undefined) return undefined;
    try {
      const counter = new Counter(await this.#options.places.counterOf(identity), this.#options.files);
      const former = await counter.read();
      if (former !== undefined && former >= listing.highest) return undefined;
      const selection = await this.#select(former, listing, identity);
      if (selection === undefined || selection.reached === former) return undefined;
      return { messages: selection.messages, next: await counter.prepare(selection.reached, former) };
    } catch (error) {
      complaints.counter(identity.user, error);
      return undefined;
    }
  }

  async #list({ user }: Identity): Promise<Listing | undefined> {
    const { folder, complaints } = this.#options;
    try {
      return await folder.list();
    } catch (error) {
      complaints.folder(folder.path, user, error);
      return undefined;
    }
  }

  async #select(
    former: number | undefined,
    listing: Listing,
    identity: Identity,
  ): Promise<Selection | undefined> {
    const { selector, newUserBulletins, folder, complaints } = this.#options;
    try {
      const start = former ?? (await selector.startOf(listing, newUserBulletins, identity));
      return await selector.above(start, listing, identity);
    } catch (error) {
      complaints.group(folder.path, identity.user, error);
      return undefined;
    }
  }

  async #append(
    maildrop: AppendableMaildrop,
    messages: readonly Addressed[],
    { user }: Identity,
  ): Promise<Maildrop | undefined> {
    try {
      const news = messages.map(({ bulletin, octets }) => ({ key: `bulletin ${bulletin.name}`, octets }));
      return await maildrop.append(news);
    } catch (error) {
      this.#options.complaints.append(user, error);
      return undefined;
    }
  }

  async #count(filled: Maildrop, { messages, next }: Errand, { user }: Identity): Promise<Maildrop> {
    const { complaints } = this.#options;
    try {
      await next.commit();
    } catch (error) {
      if (messages.length > 0) {
        complaints.uncounted(user, error);
        return new UncountedMaildrop(filled, next);
      }
      complaints.counter(user, error);
      await next.abandon();
      return filled;
    }
    const names = messages.map(({ bulletin }) => readable(bulletin.name));
    if (names.length > 0) complaints.added(user, names);
    return filled;
  }
}

/** What is to be added, and then counted. */
interface Errand {
  readonly messages: readonly Addressed[];
  readonly next: NextNumber;
}
