/** What stands before a line that begins with `From `. */
export type Context = 'start of file' | 'blank line' | 'text';

/** An envelope line is shorter than this, its line end included; a longer one is text. */
export const maxEnvelopeOctets = 1000;
/** Octets from the line's start that `isEnvelope` may have to see: the line, and the name of a field after it. */
export const lookaheadOctets = maxEnvelopeOctets + 100;

/**
 * Says whether a line beginning with `From ` starts a message. Two messages must not become one, so:
 * - at the start of the file it always does;
 * - after an empty line a date in the envelope's form is enough, or else anything like a date and a time, if a
 *   header field follows;
 * - after text it needs both the envelope's form and a header field: the message before may have been cut off at a
 *   line's end, and some programs leave `From ` unquoted there.
 * `nextLine` may be cut off.
 */
export function isEnvelope(line: string, context: Context, nextLine: string): boolean {
  if (context === 'start of file') return true;
  const formed = envelopeDate.test(line);
  if (context === 'text') return formed && headerField.test(nextLine);
  return formed || (datelike(line) && headerField.test(nextLine));
}

/**
 * The date of asctime(3) with what has been added to it in forty years: no seconds, a zone before or behind the year,
 * and uucp's `remote from`.
 */
const envelopeDate = new RegExp(
  [
    String.raw` (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?`,
    String.raw` +(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`,
    String.raw` +\d{1,2} +\d{1,2}:\d\d(?::\d\d)?`,
    String.raw`(?: +[A-Z]{1,5}| +[+-]\d{4})? +\d{4}`,
    String.raw`(?: +[A-Z]{1,5}| +[+-]\d{4})?(?: +remote from \S+)?\s*$`,
  ].join(''),
);

const clockTime = /(?<!\d)\d{1,2}:\d\d(?!\d)/;
const calendarDay =
  /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b|\b\d{4}-\d\d-\d\d(?!\d)|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b/i;
const headerField = /^(?:[!-9;-~]{1,76}[ \t]*:|>From )/;

const datelike = (line: string): boolean => clockTime.test(line) && calendarDay.test(line);
