import { printableLine } from 'popperd';

import type { Entry, Field, Sender } from './entry.ts';
import { priorityOf } from './priority.ts';

/** The number that RFC 5612 sets aside for those that have none of their own. */
const structureName = 'popper@32473';
const longestNameOctets = 32;
/** What the message may take where there are many fields. */
const messageShare = 0.5;

/** A record in the form of RFC 5424: fields are structured data, and as many of them as there is room for. */
export function asRfc5424(
  { level, message, fields, time }: Entry,
  sender: Sender,
  maxOctets: number,
): string {
  const { facility, tag, pid, host } = sender;
  const head = `<${priorityOf(facility, level)}>1 ${time.toISOString()} ${host} ${tag} ${pid} - `;
  const text = printableLine(message, Math.floor((maxOctets - head.length) * messageShare));
  return `${head}${structured(fields, maxOctets - head.length - text.length - 1)} ${text}`;
}

/** Section 6.3: one element with a parameter for each field. */
function structured(fields: readonly Field[], maxOctets: number): string {
  let element = `[${structureName}`;
  for (const [name, value] of fields) {
    const parameter = ` ${nameOf(name)}="${value.replaceAll(/["\\\]]/g, String.raw`\$&`)}"`;
    if (element.length + parameter.length + 1 > maxOctets) break;
    element += parameter;
  }
  return element.includes(' ') ? `${element}]` : '-';
}

const nameOf = (name: string): string =>
  name.replaceAll(/[^!-~]|[="\]]/g, '_').slice(0, longestNameOctets) || '_';
