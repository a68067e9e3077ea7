import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Daemon } from './daemon.ts';
import { plainMail, putMail } from './mail.ts';
import { Pop3Client, type Where } from './pop3-client.ts';
import { makeSite, type Site, type SiteOptions } from './site.ts';

/** Does to a process what a broken plugin does. */
export const saboteur = join(import.meta.dirname, 'saboteur.ts');

/** A site that is served by a master and two fronts, each of which tells who it is. */
export async function makeSiteOfFronts(
  t: TestContext,
  { config, ...options }: SiteOptions = {},
): Promise<Site> {
  const site = await makeSite(t, { ...options, config: { fronts: 2, plugins: pluginsWith({}), ...config } });
  await putMail(site.mboxOf('alice'), plainMail);
  return site;
}

/** The plugins of such a site, the saboteur with these options among them. */
export const pluginsWith = (options: Readonly<Record<string, unknown>>): readonly unknown[] => [
  ['auth-passwd', { file: 'passwd' }],
  ['store-mbox', { spool: 'spool/{user}' }],
  [saboteur, options],
];

/** A client that has read its greeting, and the process that greeted it. */
export interface Greeted {
  readonly client: Pop3Client;
  readonly text: string;
  readonly pid: number;
}

export async function greet(where: Where): Promise<Greeted> {
  const client = await Pop3Client.connect(where);
  const [, text = '', pid] = /^\+OK (\S+) (\d+)$/.exec((await client.line()) ?? '') ?? [];
  return { client, text, pid: Number(pid) };
}

/** A client of every front that there is, of those that are expected to be there. */
export async function greetAll(where: Where, fronts = 2): Promise<readonly Greeted[]> {
  const found = new Map<number, Greeted>();
  // Who gets a client is for the kernel to say, and while all are idle it may like one better than the others.
  for (let tries = 0; found.size < fronts; tries += 1) {
    assert.ok(tries < 2000, `no client ever met more than ${found.size} fronts`);
    const several = await Promise.all(Array.from({ length: 8 }, () => greet(where)));
    for (const greeted of several) {
      if (found.has(greeted.pid)) greeted.client.destroy();
      else found.set(greeted.pid, greeted);
    }
  }
  return [...found.values()];
}

/** The processes that the daemon has started. */
export async function childrenOf({ pid }: Pick<Daemon, 'pid'>): Promise<readonly number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.trim().split(' ').filter(Boolean).map(Number);
}

export const titleOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', '').trim();

export const descriptorsOf = async (pid: number): Promise<number> =>
  (await readdir(`/proc/${pid}/fd`)).length;

/** What a master weighs. */
interface Footprint {
  readonly residentOctets: number;
  readonly descriptors: number;
}

/** Of a daemon's master, as soon as it has so many children. */
export async function footprintOf(daemon: Pick<Daemon, 'pid'>, children: number): Promise<Footprint> {
  await until(async () => (await childrenOf(daemon)).length === children);
  const status = await readFile(join('/proc', String(daemon.pid), 'status'), 'utf8');
  const residentOctets = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  return { residentOctets, descriptors: await descriptorsOf(daemon.pid) };
}

/**
 * Throws where a master has grown. Each reload may cost some octets of a heap that is not full yet, and nothing that a process or its log
 * weighs. Gives the octets that it has grown by.
 */
export function noMoreThan(before: Footprint, after: Footprint): number {
  assert.equal(after.descriptors, before.descriptors);
  const grownOctets = after.residentOctets - before.residentOctets;
  assert.ok(grownOctets < 16 * 1024 * 1024, `the master grew by ${grownOctets} octets`);
  return grownOctets;
}

/** Resolves when it is so. The test's own limit of time is the one that ends it. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(20);
}
