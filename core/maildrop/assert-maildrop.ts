import type { Maildrop } from './maildrop.ts';

const methods = ['octetsOf', 'uidOf', 'read', 'commit', 'close'] as const;

/** Plugins may be plain JavaScript: what they give for a maildrop is looked at once, where it comes in. */
export function assertMaildrop(value: unknown, hook: string): asserts value is Maildrop {
  const complaint = complaintAbout(value);
  if (complaint !== undefined) throw new TypeError(`${hook} was answered with no maildrop: ${complaint}`);
}

function complaintAbout(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return `got ${String(value)}`;
  const members = new Map<string, unknown>();
  for (const name of ['count', 'totalOctets', ...methods]) members.set(name, Reflect.get(value, name));
  for (const name of ['count', 'totalOctets']) {
    const number = members.get(name);
    if (!Number.isSafeInteger(number) || Number(number) < 0) return `${name} is ${String(number)}`;
  }
  const missing = methods.find((name) => typeof members.get(name) !== 'function');
  return missing && `it has no ${missing}()`;
}
