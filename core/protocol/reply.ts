/** The response codes popper sends (RFC 2449 section 8, RFC 3206). */
export type ResponseCode = 'AUTH' | 'IN-USE' | 'LOGIN-DELAY' | 'SYS/TEMP' | 'SYS/PERM';

/** Text lines without their CRLF; the channel adds line ends, byte-stuffing and the final dot. */
export type Lines = Iterable<string> | AsyncIterable<string>;

/**
 * What one command says to the client. Handlers return a reply and never see the socket, so byte-stuffing and line
 * ends are right in one place: `Channel.send`.
 */
export type Reply =
  | { readonly status: '+OK'; readonly text: string }
  | { readonly status: '+OK'; readonly text: string; readonly lines: Lines }
  | {
      readonly status: '+OK';
      readonly text: string;
      /** A message as stored, with any line ends. */
      readonly body: AsyncIterable<Uint8Array>;
      /** How many octets the body was said to have on the wire: with fewer it is sent without an end (`TornMessage`). */
      readonly promisedOctets?: number;
    }
  | { readonly status: '-ERR'; readonly text: string; readonly code?: ResponseCode };

export const ok = (text = ''): Reply => ({ status: '+OK', text });

export const okLines = (text: string, lines: Lines): Reply => ({ status: '+OK', text, lines });

export const okBody = (text: string, body: AsyncIterable<Uint8Array>, promisedOctets?: number): Reply =>
  promisedOctets === undefined
    ? { status: '+OK', text, body }
    : { status: '+OK', text, body, promisedOctets };

export const err = (text: string, code?: ResponseCode): Reply =>
  code === undefined ? { status: '-ERR', text } : { status: '-ERR', text, code };

/** Whether it is a reply in form: plugins may be plain JavaScript, and what they answer is looked at where it comes in. */
export function isReply(value: unknown): value is Reply {
  if (typeof value !== 'object' || value === null || !('status' in value) || !hasText(value)) return false;
  if (value.status === '-ERR') return hasCodeOrNone(value);
  if (value.status !== '+OK') return false;
  if ('body' in value) return hasMethod(value.body, Symbol.asyncIterator);
  return !('lines' in value) || linesIterators.some((iterator) => hasMethod(value.lines, iterator));
}

const hasText = (value: object): boolean => 'text' in value && typeof value.text === 'string';

const hasCodeOrNone = (value: object): boolean =>
  !('code' in value) || value.code === undefined || typeof value.code === 'string';

const linesIterators = [Symbol.iterator, Symbol.asyncIterator];

const hasMethod = (value: unknown, name: symbol): boolean =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';

/** What separates the status line's parts on the wire: everything that is not printable ASCII becomes `?`. */
const unprintable = /[^\x20-\x7e]/g;
const printable = /^[\x20-\x7e]*$/;
/** RFC 1939 section 3: a first line has at most 512 octets, CRLF included. */
const maxFirstLineOctets = 512;

/**
 * The first line of a reply without its CRLF, never over 510 octets. Text that begins with `[` is shielded by a space
 * unless it is a real response code, so that no user data is read as one (RFC 2449 section 8).
 */
export function firstLine(reply: Reply): string {
  const line = wholeLine(reply);
  const short = line.length > maxFirstLineOctets - 2 ? line.slice(0, maxFirstLineOctets - 2) : line;
  return printable.test(short) ? short : short.replace(unprintable, '?');
}

function wholeLine(reply: Reply): string {
  const { status, text } = reply;
  const rest = text === '' ? '' : ` ${text}`;
  if (reply.status === '-ERR' && reply.code !== undefined) return `${status} [${reply.code}]${rest}`;
  return text.startsWith('[') ? `${status} ${rest}` : `${status}${rest}`;
}
