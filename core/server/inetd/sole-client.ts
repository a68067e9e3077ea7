import { closeSync, fstatSync, openSync, type Stats, writeSync } from 'node:fs';

import { err, firstLine } from '../../protocol/reply.ts';

/** The client that a process was started for, as inetd starts one for each connection. */
export interface SoleClient {
  /** `socket`: its connection is standard input. `pipe`: it writes to standard input, and reads standard output. */
  readonly kind: 'socket' | 'pipe';
  /** Whether it begins with a handshake, as on port 995. */
  readonly beginsWithTls: boolean;
}

/** The client of the process that inetd has started. */
export interface TakenClient extends SoleClient {
  /** Standard error was its own, too, and leads nowhere now: nobody would hear what is said there. */
  readonly tookErrors: boolean;
}

/** Standard input, output and error. */
const [input, output, errors] = [0, 1, 2] as const;

/**
 * Looks who it is. inetd makes the connection standard output and error, too: these lead nowhere from here on, for what is logged is
 * not for the client. To be called before anybody has touched `process.stdin`, `stdout` or `stderr`.
 */
export function takeClient({ beginsWithTls }: Pick<SoleClient, 'beginsWithTls'>): TakenClient {
  const connection = fstatSync(input);
  if (connection.isSocket()) {
    takeFrom(output, connection);
    return { kind: 'socket', beginsWithTls, tookErrors: takeFrom(errors, connection) };
  }
  const replies = fstatSync(output);
  // On a terminal it is the operator who tries it.
  const tookErrors = !replies.isCharacterDevice() && takeFrom(errors, replies);
  return { kind: 'pipe', beginsWithTls, tookErrors };
}

/** Whether it was the client's. */
function takeFrom(descriptor: number, client: Stats): boolean {
  const isIts = isSame(fstatSync(descriptor), client);
  if (isIts) leadNowhere(descriptor);
  return isIts;
}

/** Tells it that nobody serves it, before anything was made of its connection; the reason is for the log. */
export function refuse({ kind, beginsWithTls }: SoleClient): void {
  // To one that waits for a handshake words are noise.
  if (beginsWithTls) return;
  try {
    writeSync(kind === 'socket' ? input : output, `${firstLine(notNow)}\r\n`);
  } catch {
    // It has left, or reads nothing.
  }
}

/** Leaves it to another process, which has its connection: that is to be its last holder. */
export function letGo({ kind }: SoleClient): void {
  leadNowhere(input);
  if (kind === 'pipe') leadNowhere(output);
}

const notNow = err('this server cannot serve anybody now, try again later', 'SYS/TEMP');

const isSame = (one: Stats, other: Stats): boolean => one.dev === other.dev && one.ino === other.ino;

/** Node has no dup2(2); but what is opened gets the lowest number that is free. */
function leadNowhere(descriptor: number): void {
  closeSync(descriptor);
  const opened = openSync('/dev/null', 'r+');
  if (opened !== descriptor) throw new Error(`descriptor ${descriptor} was taken while it was free`);
}
