import { printableLine, printableWord } from 'popperd';

/** What is said, by whom, in which session. */
export interface Said {
  readonly session: string;
  /** IP address of the client, or `unix` or `pipe`. */
  readonly address: string;
  /** Undefined where it has not named itself. */
  readonly user: string | undefined;
  readonly direction: 'received' | 'sent';
  readonly text: string;
}

/** One line of a trace, its line end included: `DATE PID SESSION USER/ADDRESS DIRECTION TEXT`, with `-` for no user. */
export function traceLine({ session, address, user, direction, text }: Said, at: Date, pid: number): string {
  const who = user === undefined ? '-' : printableWord(user, maxNameOctets);
  const what = printableLine(text, maxTextOctets);
  return `${at.toISOString()} ${pid} ${session} ${who}/${address} ${direction} ${what}\n`;
}

const maxNameOctets = 320;
/** More than a command or a reply may have (RFC 2449 section 4), escapes included. */
const maxTextOctets = 2048;
