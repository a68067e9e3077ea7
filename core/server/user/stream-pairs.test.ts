import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { StreamPairs } from './stream-pairs.ts';
import { StreamRecipient } from './stream-recipient.ts';

describe('a process that introduces two others to each other', () => {
  // Longer than a socket's path may be.
  const folder = mkdtempSync(join(tmpdir(), `popper-pairs-${'x'.repeat(100)}`));
  const children: ChildProcess[] = [];
  let pairs: StreamPairs;

  before(async () => {
    pairs = await StreamPairs.open(folder);
  });
  after(async () => {
    pairs.close();
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const start = (): { readonly child: ChildProcess; readonly recipient: StreamRecipient } => {
    const child = fork(join(import.meta.dirname, 'testing/stream-child.ts'), { execArgv: [] });
    children.push(child);
    return { child, recipient: new StreamRecipient(child) };
  };

  test('lets them talk, and reads nothing of it, however early one of them begins', async () => {
    const [speaker, listener] = [start(), start()];
    const [one, other] = await pairs.make();
    await speaker.recipient.give({ says: 'what the master must not read' }, one);
    // It has spoken long before the other end leaves this process.
    await delay(300);
    assert.equal(other.bytesRead, 0);
    await listener.recipient.give({}, other);
    assert.deepEqual(await once(listener.child, 'message'), ['what the master must not read', undefined]);
  });

  test('tells pairs apart that are made at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => pairs.make()));
    const heard = made.map(async ([one, other], index) => {
      one.write(`${index}`);
      const [octets] = await once(other.resume(), 'data');
      assert.equal(String(octets), `${index}`);
      one.destroy();
      other.destroy();
    });
    await Promise.all(heard);
  });

  test('keeps no descriptor of a thousand pairs', async () => {
    const { child, recipient } = start();
    const listener = start();
    const [first, second] = await pairs.make();
    await Promise.all([recipient.give({ says: 'x' }, first), listener.recipient.give({}, second)]);
    await once(listener.child, 'message');
    const [ofOursBefore, ofChildBefore] = [descriptorsOf(process.pid), descriptorsOf(child.pid)];
    for (let count = 0; count < 1000; count += 1) {
      const [one, other] = await pairs.make();
      const heard = once(listener.child, 'message');
      await Promise.all([recipient.give({ says: 'x' }, one), listener.recipient.give({}, other)]);
      await heard;
    }
    assert.ok(
      descriptorsOf(process.pid) <= ofOursBefore + 4,
      `${descriptorsOf(process.pid)} descriptors, ${ofOursBefore} before`,
    );
    assert.ok(
      descriptorsOf(child.pid) <= ofChildBefore + 4,
      `${descriptorsOf(child.pid)} in the child, ${ofChildBefore} before`,
    );
  });

  test('is told of each stream that a dead process will never take, and lets go of it', async () => {
    const { child, recipient } = start();
    await once(child, 'spawn');
    const descriptorsBefore = descriptorsOf(process.pid);
    const made = await Promise.all(Array.from({ length: 12 }, () => pairs.make()));
    // It takes none until it is dead.
    child.kill('SIGSTOP');
    const given = made.map(([end]) => recipient.give({}, end));
    const outcomes = Promise.allSettled(given);
    child.kill('SIGKILL');
    const rejected = (await outcomes).filter(({ status }) => status === 'rejected');
    // The first may have been on its way.
    assert.ok(rejected.length >= 11, `${rejected.length} rejected`);
    for (const [, other] of made) {
      await once(other.resume(), 'end');
      other.destroy();
    }
    await delay(10);
    assert.ok(
      descriptorsOf(process.pid) <= descriptorsBefore,
      `${descriptorsOf(process.pid)} descriptors, ${descriptorsBefore} before`,
    );
    const [late, other] = await pairs.make();
    await assert.rejects(recipient.give({}, late), /takes no streams/);
    await once(other.resume(), 'end');
    other.destroy();
  });

  test('has its door where nobody else can come in, and what comes in by it regardless is no end of a pair', async () => {
    assert.deepEqual(readdirSync(folder), []);
    const door = readdirSync('/proc/self/fd').find((name) => linkOf(name).endsWith('/s (deleted)'));
    assert.ok(door !== undefined);
    const strangers = Array.from({ length: 5 }, () => connect(`/proc/self/fd/${door}`).on('error', () => {}));
    const [one, other] = await pairs.make();
    one.write('hello');
    const [octets] = await once(other.resume(), 'data');
    assert.equal(String(octets), 'hello');
    for (const socket of [one, other, ...strangers]) socket.destroy();
  });
});

/** One of them was of the listing itself. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

const descriptorsOf = (pid: number | undefined): number => readdirSync(`/proc/${pid}/fd`).length;
