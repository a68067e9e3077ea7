/**
 * When a bulletin is of no use any more, from its `Expires:` (RFC 2156): a date as in mail, or a day as in `2026-12-31`, which counts to
 * its end where the daemon runs. Milliseconds since the epoch; undefined for anything else.
 */
export function expiryMs(text: string): number | undefined {
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (day !== null) return endOfDayMs(Number(day[1]), Number(day[2]), Number(day[3]));
  const plain = text.replaceAll(/\([^()]*\)/g, ' ').trim();
  if (!mailDate.test(plain)) return undefined;
  const timeMs = Date.parse(plain);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** RFC 5322 section 3.3, with the zones of RFC 822 that have a name. */
const mailDate =
  /^(?:[A-Z][a-z]{2}\s*,\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d\d:\d\d(?::\d\d)?\s+(?:[+-]\d{4}|UT|GMT|[ECMP][SD]T)$/i;

function endOfDayMs(year: number, month: number, day: number): number | undefined {
  const start = new Date(year, month - 1, day);
  if (start.getMonth() !== month - 1 || start.getDate() !== day) return undefined;
  return new Date(year, month - 1, day + 1).getTime() - 1;
}
