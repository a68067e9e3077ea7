import { resolve } from 'node:path';

import type { Identity } from 'popperd';

import { mailboxPathOfDotlock } from './dotlock.ts';
import { mailboxPathOfDrop } from './temporary-drop.ts';

/** A user's mbox, and the folder of the operator's choice that it is sure to lie below. */
export interface SpoolPath {
  readonly path: string;
  /** Ends in `/`. */
  readonly root: string;
}

/**
 * Fills the template in. `{user:N}` is the N-th character of the user's name in lower case, `_` where it has no such
 * letter or digit (for hashed spools). Throws an Error where a value would lead out of its place, or to another user's mail:
 * names come from strangers.
 */
export function spoolPathOf(template: string, identity: Identity, baseFolder: string): SpoolPath {
  const fromHome = template.startsWith('{home}/');
  const base = fromHome ? identity.home : baseFolder;
  const relative = fromHome ? template.slice('{home}/'.length) : template;
  const root = literalRootOf(relative, base);
  const filled = relative.replace(placeholder, (_, name: string, position?: string) =>
    harmless(valueOf(identity.user, name, position), identity.user),
  );
  const path = resolve(base, filled);
  if (!path.startsWith(root) || path === root) throw new Error(`${path}: not below ${root}`);
  for (const { other, what } of servingOthers(path)) {
    if (other === undefined || !patternOf(resolve(base, relative)).test(other)) continue;
    const name = JSON.stringify(identity.user);
    throw new Error(`user name ${name} gives ${path}, ${what} ${other}: it is another user's`);
  }
  return { path, root };
}

/** The mailboxes that a file of this name would serve, were they there. */
const servingOthers = (path: string) =>
  [
    { other: mailboxPathOfDrop(path), what: 'where a classic popper leaves mail of' },
    { other: mailboxPathOfDotlock(path), what: 'which locks' },
  ] as const;

/**
 * The same folder for a path that some user's mailbox may have by this template; undefined for one that none can. Says nothing of
 * mail in homes: whose home that is the path does not tell.
 */
export function spoolRootOf(template: string, mailboxPath: string, baseFolder: string): string | undefined {
  if (template.startsWith('{home}/')) return undefined;
  const isFit = resolve(mailboxPath) === mailboxPath && mailboxPath.length <= maxPathLength;
  if (!isFit || !patternOf(resolve(baseFolder, template)).test(mailboxPath)) return undefined;
  return literalRootOf(template, baseFolder);
}

/** Of all paths that the template may be filled in to. */
const patternOf = (template: string): RegExp =>
  new RegExp(
    `^${template
      .split(/(\{[^}]*\})/)
      .map((piece) => (piece.startsWith('{') ? anyOf(piece) : literally(piece)))
      .join('')}$`,
  );

const anyOf = (filled: string): string => (filled.includes(':') ? '[a-z0-9_]' : '[^/\\0]{1,255}');

const literally = (text: string): string => text.replace(/[^\w/]/g, '\\$&');

/** As far as Linux goes. */
const maxPathLength = 4096;

const placeholder = /\{(user|localpart|domain)(?::(\d+))?\}/g;

/** The folder in front of the first placeholder. */
export function literalRootOf(template: string, base: string): string {
  const literal = template.slice(0, /\{/.exec(template)?.index ?? template.length);
  const folder = resolve(base, literal.slice(0, literal.lastIndexOf('/') + 1));
  return folder === '/' ? folder : `${folder}/`;
}

function valueOf(user: string, name: string, position: string | undefined): string {
  if (position !== undefined) return letterAt(user, Number(position));
  const at = user.lastIndexOf('@');
  if (name === 'domain') return at === -1 ? '' : user.slice(at + 1);
  return name === 'localpart' && at !== -1 ? user.slice(0, at) : user;
}

function letterAt(user: string, position: number): string {
  const letter = user.charAt(position - 1).toLowerCase();
  return /^[a-z0-9]$/.test(letter) ? letter : '_';
}

function harmless(value: string, user: string): string {
  if (value === '' || value === '.' || value === '..' || /[/\0]/.test(value)) {
    throw new Error(`user name ${JSON.stringify(user)} gives no file name for this spool`);
  }
  return value;
}
