import { isUtf8 } from 'node:buffer';

const placeholder = /\{[^}]*\}?|\}/g;

/** Says why a template can make no home folders, and what it may hold; undefined where it can. */
export function complaintAboutHome(template: string): string | undefined {
  if (!template.startsWith('/')) return `expected an absolute path, got "${template}"`;
  if (template.includes('\0')) return 'expected a path, got one with a NUL';
  if (template.split('/').includes('..')) return `expected a path without "..", got "${template}"`;
  const unknown = template.match(placeholder)?.find((name) => !placeholders.has(name));
  if (unknown === undefined) return undefined;
  return `expected {user}, {localpart} or {domain} in the template, got "${unknown}"`;
}

/** The user's home: {user} is the whole name, {localpart} and {domain} what stands before and behind its last @. */
export function homeFrom(template: string, user: string): string {
  // A valid user name has no slash and no two dots, so that it is one folder's name wherever it is put.
  return template.replace(placeholder, (name) => placeholders.get(name)?.(user) ?? '');
}

/**
 * The home folder in a field of a line that was read as latin1, or undefined where it is no absolute path, leads up by
 * "..", holds a NUL, or is not UTF-8.
 */
export function homeOfField(field: string): string | undefined {
  if (!field.startsWith('/') || field.includes('\0') || field.split('/').includes('..')) return undefined;
  const octets = Buffer.from(field, 'latin1');
  return isUtf8(octets) ? octets.toString() : undefined;
}

const placeholders: ReadonlyMap<string, (user: string) => string> = new Map([
  ['{user}', (user) => user],
  ['{localpart}', (user) => user.slice(0, domainIndexOf(user))],
  ['{domain}', (user) => user.slice(domainIndexOf(user) + 1)],
]);

/** Where the last @ is, or the end of a name without one. */
function domainIndexOf(user: string): number {
  const at = user.lastIndexOf('@');
  return at === -1 ? user.length : at;
}
