import type { Maildrop } from 'popperd';

import type { MboxUnderTest } from './mbox-under-test.ts';

/** What a client of the maildrop sees. */
export interface Listing {
  readonly uids: readonly string[];
  readonly octets: readonly number[];
  readonly texts: readonly string[];
}

/** A whole session: opens, lists, retrieves, does the work, and leaves. */
export async function session(
  store: MboxUnderTest,
  work: (maildrop: Maildrop) => Promise<void> = async () => {},
): Promise<Listing> {
  const maildrop = await store.open();
  try {
    const listing = await listingOf(maildrop);
    await work(maildrop);
    return listing;
  } finally {
    await maildrop.close();
  }
}

export async function listingOf(maildrop: Maildrop): Promise<Listing> {
  await maildrop.load?.();
  const indexes = Array.from({ length: maildrop.count }, (_, index) => index);
  const texts: string[] = [];
  for (const index of indexes) texts.push(await textOf(maildrop, index));
  return {
    uids: indexes.map((index) => maildrop.uidOf(index)),
    octets: indexes.map((index) => maildrop.octetsOf(index)),
    texts,
  };
}

export async function textOf(maildrop: Maildrop, index: number): Promise<string> {
  let text = '';
  for await (const chunk of maildrop.read(index, AbortSignal.timeout(60_000))) {
    text += Buffer.from(chunk).toString('latin1');
  }
  return text;
}

export const letter = (number: number, body = `This is message ${number}.\n`): string =>
  `From: mrose@dbc.mtview.ca.us\nSubject: message ${number}\n\n${body}`;

/** Letters as they are delivered. */
export const letters = (...numbers: readonly number[]): readonly Uint8Array[] =>
  numbers.map((number) => Buffer.from(letter(number)));
