import { fetchedForm, isWhole, type Letters } from './letters.ts';

/** What a client sees of a maildrop, in order. */
export interface Listing {
  readonly uids: readonly string[];
  readonly fetched: readonly Buffer[];
}

/** What happened before. */
export interface Story {
  readonly letters: Letters;
  /** Their uids, as the client was told when it logged in. */
  readonly uids: readonly string[];
  /** Indexes of what it marked. */
  readonly marked: readonly number[];
  /** The answer to QUIT; undefined if none came. */
  readonly answer: string | undefined;
  /** Delivered since, and confirmed to whoever sent it. */
  readonly delivered: Letters;
}

/** What is there now. */
export interface Found {
  readonly listing: Listing;
  readonly mbox: Buffer;
}

export const sins = [
  'lost',
  'doubled',
  'broken',
  'changed uid',
  'third state',
  'untrue answer',
  'stray octets',
] as const;
export type Sin = (typeof sins)[number];

/** Says what is wrong; nothing if a maildrop is just as it may be after this story. */
export function judge(story: Story, found: Found): readonly Sin[] {
  const before = story.letters.map((_, index) => index);
  const kept = before.filter((index) => !story.marked.includes(index));
  const old = outcomeOf(story, before);
  const fresh = outcomeOf(story, kept);
  const { uids, fetched } = found.listing;
  const reached = [old, fresh].filter(({ letters }) => sameLetters(letters, fetched));
  const wrong: Record<Sin, boolean> = {
    lost: exceeds(fresh.letters, fetched),
    doubled: exceeds(fetched, old.letters) || new Set(uids).size < uids.length,
    broken: !fetched.every(isWhole),
    'changed uid': !reached.some((outcome) => outcome.uids.every((uid, index) => uid === uids[index])),
    'third state': reached.length === 0,
    'untrue answer':
      reached.length > 0 && !reached.some((outcome) => isTrue(story.answer, outcome === fresh)),
    'stray octets': !reached.some(({ mbox }) => mbox.equals(found.mbox)),
  };
  return sins.filter((sin) => wrong[sin]);
}

function outcomeOf({ letters, uids, delivered }: Story, indexes: readonly number[]) {
  const stored = [...indexes.flatMap((index) => letters[index] ?? []), ...delivered];
  return {
    letters: stored.map(fetchedForm),
    uids: indexes.map((index) => uids[index]),
    mbox: Buffer.concat(stored),
  };
}

const sameLetters = (expected: Letters, fetched: Letters): boolean =>
  expected.length === fetched.length && expected.every((letter, index) => fetched[index]?.equals(letter));

/** Whether some letter is more often among the first than among the others. */
function exceeds(some: Letters, others: Letters): boolean {
  return some.some((letter) => timesIn(some, letter) > timesIn(others, letter));
}

const timesIn = (all: Letters, wanted: Buffer): number =>
  all.filter((letter) => letter.equals(wanted)).length;

/** `isDone`: the marked letters are gone. No answer promises nothing. */
function isTrue(answer: string | undefined, isDone: boolean): boolean {
  if (answer === undefined) return true;
  if (answer.startsWith('+OK')) return isDone;
  // Until the maildrop is opened again, this one may still be undone as well as done.
  if (answer.includes('is not finished, log in again')) return true;
  return answer.includes('was made, but') === isDone;
}
