import { printableLine } from 'popperd';

import type { Entry, Sender } from './entry.ts';
import { priorityOf } from './priority.ts';

/**
 * A record as /dev/log takes it: the form of RFC 3164 section 4.1 without the host, which the receiver knows. Fields stand behind the
 * message as `name=value`.
 */
export function asRfc3164(
  { level, message, fields, time }: Entry,
  sender: Sender,
  maxOctets: number,
): string {
  const { facility, tag, pid } = sender;
  const head = `<${priorityOf(facility, level)}>${timestamp(time)} ${tag}[${pid}]: `;
  const words = fields.map(([name, value]) => ` ${bare(name)}=${quoted(value)}`);
  return printableLine(`${head}${printableLine(message, maxOctets)}${words.join('')}`, maxOctets);
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Local time, as its readers have it; a day below ten has a space before it. */
function timestamp(time: Date): string {
  const day = String(time.getDate()).padStart(2);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${months[time.getMonth()]} ${day} ${clock.map((part) => String(part).padStart(2, '0')).join(':')}`;
}

const bare = (name: string): string => name.replaceAll(/[\s="]/g, '_') || '_';

/** Its backslashes are escaped already. */
const quoted = (value: string): string =>
  value === '' || /[ ="]/.test(value) ? `"${value.replaceAll('"', String.raw`\"`)}"` : value;
