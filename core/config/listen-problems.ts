import { isIPv4 } from 'node:net';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import type { ConfigProblem } from './problem.ts';
import { nameOf } from './schema-problems.ts';
import { maxSocketPathOctets } from './schema.ts';
import { valueAt } from './show-value.ts';
import type { Path, Source } from './source.ts';

/** What is wrong with addresses that are each in form. */
export function listenProblems(value: unknown, source: Source): readonly ConfigProblem[] {
  return [...tooLongPaths(value, source), ...missingTls(value, source), ...twins(value, source)];
}

/** The keys of all entries, or of one thing in each. */
function keysIn(value: unknown, ...inEach: Path): readonly Path[] {
  const list = valueAt(value, ['listen']);
  return Array.isArray(list) ? Array.from(list.keys(), (index) => ['listen', index, ...inEach]) : [];
}

const controlPath = ['control', 'path'];

function tooLongPaths(value: unknown, source: Source): readonly ConfigProblem[] {
  return [...keysIn(value, 'path'), controlPath].flatMap((key) => {
    const path = valueAt(value, key);
    if (typeof path !== 'string') return [];
    const octets = Buffer.byteLength(resolve(dirname(source.file), path));
    if (octets <= maxSocketPathOctets) return [];
    const what = `${nameOf(key)}: ${octets} octets with its folder, and a socket's path has ${maxSocketPathOctets} at most`;
    return [{ source, span: source.locate(key), what, fix: 'use a shorter path, such as /run/popper.sock' }];
  });
}

/** A port for TLS without a certificate to show. */
function missingTls(value: unknown, source: Source): readonly ConfigProblem[] {
  if (valueAt(value, ['tls']) !== undefined) return [];
  return keysIn(value, 'tls').flatMap((key) => {
    if (valueAt(value, key) !== true) return [];
    const what = `${nameOf(key)}: there is no certificate for it`;
    return [{ source, span: source.locate(key), what, fix: 'set tls: { certificate, key }, two PEM files' }];
  });
}

interface Place {
  readonly key: Path;
  readonly address: Address;
}

type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** An address can be had once. A port 0 is a free one, so there can be many. */
function twins(value: unknown, source: Source): readonly ConfigProblem[] {
  const places = [...keysIn(value), controlPath].flatMap((key): readonly Place[] => {
    const address = addressOf(valueAt(value, key), source);
    return address === undefined ? [] : [{ key, address }];
  });
  return places.flatMap(({ key, address }, index) => {
    const other = places.slice(0, index).find((place) => overlap(place.address, address));
    if (other === undefined) return [];
    return [{ source, span: source.locate(key), ...whatOf(nameOf(key), address, other) }];
  });
}

function whatOf(name: string, address: Address, other: Place): Pick<ConfigProblem, 'what' | 'fix'> {
  const otherName = nameOf(other.key);
  if (isDeepStrictEqual(address, other.address)) {
    return { what: `${name}: the same address as ${otherName}`, fix: 'remove one of the two, or change it' };
  }
  return {
    what: `${name}: it and ${otherName} cannot both be had: one is this port of all addresses`,
    fix: 'remove one of the two, or write in both the host that is meant',
  };
}

function overlap(one: Address, other: Address): boolean {
  if ('path' in one || 'path' in other) return isDeepStrictEqual(one, other);
  if (one.port !== other.port) return false;
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host);
}

/** What is open on every address of IPv6 is so on those of IPv4, too. */
const covers = (every: string, host: string): boolean =>
  every === '::' || (every === '0.0.0.0' && isIPv4(host));

function addressOf(where: unknown, { file }: Source): Address | undefined {
  const path = typeof where === 'string' ? where : valueAt(where, ['path']);
  if (typeof path === 'string') return { path: resolve(dirname(file), path) };
  const [host = '::', port] = [valueAt(where, ['host']), valueAt(where, ['port'])];
  return typeof port === 'number' && port > 0 ? { host: String(host), port } : undefined;
}
