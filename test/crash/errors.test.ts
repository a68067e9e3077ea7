import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { CrashSite } from './support/crash-site.ts';
import { judge } from './support/judge.ts';
import { letters, patterns } from './support/letters.ts';
import type { ErrorCode, Fault, FileCall } from './support/plan.ts';

/** POPPER_CRASH_SWEEP=full tries every error at every call; otherwise each call meets one of them. */
const isFull = process.env['POPPER_CRASH_SWEEP'] === 'full';
type Failing = Extract<Fault, { kind: 'fail' }>;

test('the answer to QUIT is true whichever call fails, and nothing is in the way afterwards', async (t) => {
  const site = await CrashSite.make(t);
  await site.restart();
  await site.reserved('first');
  const told = new Map<string, number>();
  const bad: unknown[] = [];
  for (const [number, pattern] of Object.keys(patterns).entries()) {
    const calls = await site.count(`counted-${number}`, pattern, false);
    for (const fault of faultsOf(calls, number)) {
      const { answer, sins } = await tryFault(site, pattern, fault);
      told.set(answer, (told.get(answer) ?? 0) + 1);
      if (sins.length > 0) bad.push({ pattern, ...fault, call: calls[fault.index], answer, sins });
    }
  }
  tell(t, told, bad.length);
  assert.deepEqual(bad, [], 'faults that were not told the truth about');
});

function tell(t: TestContext, told: ReadonlyMap<string, number>, badCount: number): void {
  const total = [...told.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`${total} errors tried, ${badCount} bad`);
  for (const [answer, count] of told) t.diagnostic(`${count} times ${answer}`);
}

let trials = 0;

async function tryFault(site: CrashSite, pattern: string, fault: Failing) {
  trials += 1;
  const user = `failing-${trials}`;
  const marked = patterns[pattern] ?? [];
  await site.put(user, letters);
  await site.plan(user, { moment: 'update', fault });
  const { uids, answer } = await site.visit(user, marked);
  const calls = await site.callsOf(user);
  assert.ok(answer !== undefined && calls.length > fault.index, `the planned call of ${pattern} came`);
  const { listing } = await site.look(user);
  const story = { letters, uids, marked, answer, delivered: [] };
  const sins: string[] = [...judge(story, { listing, mbox: await site.readMbox(user) })];
  if (answer.startsWith('+OK') && isUnsynced(calls, fault, site.mboxOf(user))) sins.push('not durable');
  const { answer: last } = await site.visit(user, [...listing.uids.keys()]);
  if (last !== '+OK bye' || (await site.readMbox(user)).length > 0) sins.push(`stuck: ${last}`);
  await site.remove(user);
  return { answer, sins };
}

/** Whether the disk was never sure of the mailbox. */
function isUnsynced(calls: readonly FileCall[], { index, lasting, place }: Failing, mbox: string): boolean {
  const syncs = calls.flatMap(({ call, path }, at) =>
    path === mbox && (call === 'sync' || call === 'dataSync') ? [at] : [],
  );
  const last = syncs.at(-1);
  return last === undefined || (place !== 'after' && (last === index || (lasting && last > index)));
}

function faultsOf(calls: readonly FileCall[], number: number): Failing[] {
  return calls.flatMap(({ call }, index) => {
    const possible = variants.filter(({ place }) => place === 'before' || call === 'write');
    const chosen = isFull ? possible : possible.slice((index + 5 * number) % possible.length).slice(0, 1);
    return chosen.map((variant) => ({ kind: 'fail' as const, index, ...variant }));
  });
}

const codes: readonly ErrorCode[] = ['EIO', 'ENOSPC', 'EDQUOT'];

/** Torn: a short write, and then the error. */
const variants = codes.flatMap((code) =>
  (['before', 'torn-start', 'torn-middle', 'torn-end'] as const).flatMap((place) =>
    [false, true].map((lasting) => ({ code, place, lasting })),
  ),
);
