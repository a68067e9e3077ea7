const methods = ['octetsOf', 'uidOf', 'read', 'commit', 'close'] as const;

/** Says why something is no maildrop in form; undefined where it is one. */
export function complaintAboutMaildrop(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return `${String(value)}, which is no maildrop`;
  const member = (name: string): unknown => Reflect.get(value, name);
  for (const name of ['count', 'totalOctets']) {
    const number = member(name);
    if (!Number.isSafeInteger(number) || Number(number) < 0)
      return `a maildrop whose ${name} is ${String(number)}`;
  }
  const missing = methods.find((name) => typeof member(name) !== 'function');
  return missing && `a maildrop without ${missing}()`;
}
