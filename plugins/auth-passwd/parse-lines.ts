import { setImmediate } from 'node:timers/promises';

/** A line that nobody can log in by. */
export interface LineProblem {
  readonly lineNumber: number;
  /** What is wrong and how it is mended. Holds nothing of the line but a valid user name. */
  readonly reason: string;
}

/** The users of a file with a line for each, and the lines that cannot be used. */
export interface UserLines<Entry> {
  readonly byUser: ReadonlyMap<string, Entry>;
  readonly problems: readonly LineProblem[];
}

/** So many lines are read before other work gets its turn: a big file must not hold up the sessions. */
const linesAtOnce = 500;

/**
 * Reads each line by `parseLine`, which answers undefined where there is nothing to read, and a sentence where a line
 * cannot be used. Of two lines for one user the first counts, and the second is reported.
 */
export async function parseLines<Entry extends { readonly user: string }>(
  text: string,
  parseLine: (line: string) => Entry | string | undefined,
): Promise<UserLines<Entry>> {
  const byUser = new Map<string, Entry>();
  const problems: LineProblem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (index % linesAtOnce === linesAtOnce - 1) await setImmediate();
    const entry = parseLine(line.replace(/\r$/, ''));
    if (entry === undefined) continue;
    const reason = typeof entry === 'string' ? entry : keep(byUser, entry);
    if (reason !== undefined) problems.push({ lineNumber: index + 1, reason });
  }
  return { byUser, problems };
}

function keep<Entry extends { readonly user: string }>(
  byUser: Map<string, Entry>,
  entry: Entry,
): string | undefined {
  if (byUser.has(entry.user)) {
    return `${entry.user} has a line above already, which is the one that counts: remove one of the two`;
  }
  byUser.set(entry.user, entry);
  return undefined;
}
