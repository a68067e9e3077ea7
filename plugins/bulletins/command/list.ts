import type { SubcommandIo } from 'popperd';

import { readable } from '../bulletin-name.ts';
import { type Examined, examine, printable } from '../examine.ts';
import type { Library } from './library.ts';

/** `popper bulletins list`: a line for each, and one for whatever may surprise. Ends with 1 where one cannot be delivered. */
export async function list(_: readonly string[], library: Library, io: SubcommandIo): Promise<number> {
  const { folder, groups } = library;
  const { bulletins } = await folder.list();
  const rows: Examined[] = [];
  for (const bulletin of bulletins) rows.push(await examine(folder, groups, bulletin));
  const hasGroups = groups.names.length > 0;
  for (const row of rows) {
    const warnings = row.warnings.map(({ what, fix }) => `        warning: ${what}: ${fix}\n`);
    io.stdout.write(`${lineOf(row, hasGroups)}\n${warnings.join('')}`);
  }
  return rows.some(({ fault }) => fault !== undefined) ? 1 : 0;
}

function lineOf({ bulletin, subject, expiresMs, fault }: Examined, hasGroups: boolean): string {
  const { name, number, group } = bulletin;
  const words = [
    String(number).padStart(6),
    ...(hasGroups ? [printable(readable(group ?? 'ALL')).padEnd(12)] : []),
    expiryOf(expiresMs).padEnd(18),
    fault === undefined ? subject || printable(readable(name)) : `NOT DELIVERED: ${fault.what}: ${fault.fix}`,
  ];
  return words.join('  ');
}

function expiryOf(expiresMs: number | undefined): string {
  if (expiresMs === undefined) return '-';
  const day = new Date(expiresMs);
  const date = `${day.getFullYear()}-${digits(day.getMonth() + 1)}-${digits(day.getDate())}`;
  return expiresMs < Date.now() ? `${date} expired` : date;
}

const digits = (number: number): string => String(number).padStart(2, '0');
