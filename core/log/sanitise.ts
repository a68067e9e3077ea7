import { inspect } from 'node:util';

import { Secret } from '../secret.ts';

/** No value of a record may be longer: a client must not be able to fill the disk with one name. */
const longestOctets = 256;
const longestStackOctets = 8192;
const mostItems = 50;
const deepest = 4;
const longestCauses = 5;

/** What an error of the program's own looks like, as opposed to one of the world's: its stack is worth keeping. */
const programmingErrors = [TypeError, RangeError, ReferenceError, SyntaxError];

export interface SanitiseOptions {
  /** With the stack of every error, expected ones too. */
  readonly stacks: boolean;
}

/**
 * A field's value as plain data for one line of a log: control and non-ASCII characters escaped, lengths capped, secrets
 * masked, errors with their causes. What a client sent can neither forge a line nor reach the operator's terminal.
 */
export function sanitise(value: unknown, options: SanitiseOptions, depth = 0): unknown {
  if (typeof value === 'string') return printable(value, longestOctets);
  if (typeof value === 'object' && value !== null) return plainObject(value, options, depth);
  return unknownToJson.has(typeof value) ? printable(inspect(value), longestOctets) : value;
}

const unknownToJson = new Set<string>(['bigint', 'function', 'symbol']);

function plainObject(value: object, options: SanitiseOptions, depth: number): unknown {
  if (value instanceof Secret) return '[secret]';
  if (value instanceof Error) return plainError(value, options, 0);
  if (value instanceof Date) return inspect(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} octets]`;
  if (depth >= deepest) return '[...]';
  const inner = (item: unknown): unknown => sanitise(item, options, depth + 1);
  if (Array.isArray(value)) return value.slice(0, mostItems).map(inner);
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, mostItems).map(([key, item]) => [printable(String(key), longestOctets), inner(item)]),
  );
}

/** Whether `sanitise` would give the very same. False where that takes more to find out than the fields of most records do. */
export function isSane(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return isCounts(value);
  return typeof value === 'string' ? isSaneText(value) : saneTypes.has(typeof value);
}

/** A plain object of a few numbers, as tallies are. */
function isCounts(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= mostItems && entries.every(([key, item]) => isSaneText(key) && typeof item === 'number')
  );
}

const isSaneText = (text: string): boolean => text.length <= longestOctets && printableOnly.test(text);

const printableOnly = /^[\x20-\x5b\x5d-\x7e]*$/;
const saneTypes = new Set<string>(['number', 'boolean', 'undefined']);

/** Escapes what is not printable ASCII and the backslash that does it, and cuts at so many octets. */
export const printable = (text: string, mostOctets: number): string =>
  escaped(text, mostOctets, /[^\x20-\x5b\x5d-\x7e]/gu);

/** The same for a line that has what varies in it escaped already: its backslashes stay as they are. */
export const printableLine = (text: string, mostOctets: number): string =>
  escaped(text, mostOctets, /[^\x20-\x7e]/gu);

/** The same for a name that is to be one word of a line, so that nobody can be called what the rest of the line says. */
export const printableWord = (text: string, mostOctets: number): string =>
  escaped(text, mostOctets, /[^\x21\x23-\x5b\x5d-\x7e]/gu);

function escaped(text: string, mostOctets: number, unprintable: RegExp): string {
  // Nothing longer could be shown; cutting first keeps the work small whatever a client sends.
  const safe = text.slice(0, mostOctets).replaceAll(unprintable, escapeCharacter);
  const cut = text.length > mostOctets || safe.length > mostOctets;
  return cut ? `${safe.slice(0, mostOctets - 3)}...` : safe;
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

const escapeCharacter = (character: string): string =>
  named[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

function plainError(error: Error, options: SanitiseOptions, causes: number): unknown {
  const { name, message, stack, cause } = error;
  const code: unknown = 'code' in error ? error.code : undefined;
  const withStack = options.stacks || programmingErrors.some((kind) => error instanceof kind);
  return {
    name: printable(name, longestOctets),
    message: printable(message, longestOctets),
    ...(code !== undefined && { code: sanitise(code, options, 1) }),
    ...(cause !== undefined && { cause: causeOf(cause, options, causes) }),
    ...(error instanceof AggregateError && { errors: sanitise(error.errors, options, 1) }),
    ...(withStack && stack !== undefined && { stack: printable(stack, longestStackOctets) }),
  };
}

function causeOf(cause: unknown, options: SanitiseOptions, causes: number): unknown {
  if (!(cause instanceof Error)) return sanitise(cause, options, 1);
  return causes >= longestCauses ? '[...]' : plainError(cause, options, causes + 1);
}
