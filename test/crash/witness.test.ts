import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { needs } from '../e2e/support/program.ts';
import { CrashSite } from './support/crash-site.ts';
import { letters, patterns } from './support/letters.ts';
import { changeOf, changesIn, quitsIn, Witness } from './support/witness.ts';

test('no call of a QUIT changes a file without a fault point', traceable(), async (t) => {
  const site = await CrashSite.make(t);
  await site.restart();
  await site.reserved('first');
  const users = Object.keys(patterns).map((pattern) => [pattern.replaceAll(' ', '-'), pattern] as const);
  for (const [user] of users) {
    await site.put(user, letters);
    await site.plan(user, { moment: 'update' });
  }
  const witness = await Witness.attach(site.daemon.pid, join(site.folder, 'strace'));
  for (const [user, pattern] of users) {
    assert.equal((await site.visit(user, patterns[pattern] ?? [])).answer, '+OK bye');
  }
  const points = await Promise.all(users.map(([user]) => site.callsOf(user)));
  const quits = quitsIn(await witness.detach());
  assert.equal(quits.length, users.length, 'each QUIT was seen');
  for (const [index, [, pattern]] of users.entries()) {
    const seen = changesIn(quits[index] ?? []);
    assert.deepEqual(
      seen,
      points[index]?.map(changeOf),
      `what strace saw and where faults can come, deleting ${pattern}`,
    );
    assert.ok(seen.length >= 8, 'locks, mailbox and index were changed');
    t.diagnostic(`${pattern}: ${seen.length} calls, each with a fault point`);
  }
});

test('a call that nobody thought of is noticed', () => {
  const lines = [
    '7 read(21<socket:[1]>, "QUIT\\r\\n", 65536) = 6',
    '9 fallocate(23</s/mail/alice>, FALLOC_FL_PUNCH_HOLE, 0, 10 <unfinished ...>',
    '7 epoll_pwait(3<anon_inode:[eventpoll]>, [], 1024, 0, NULL, 8) = 0',
    '9 <... fallocate resumed>) = 0',
    '9 copy_file_range(22</s/a>, [0], 23</s/b>, [0], 10, 0) = 10',
    '9 openat(AT_FDCWD</s>, "/s/mail/alice", O_WRONLY|O_TRUNC|O_CLOEXEC) = 24</s/mail/alice>',
    '9 openat(AT_FDCWD</s>, "/s/mail/alice", O_RDONLY|O_CLOEXEC) = 24</s/mail/alice>',
    '9 utimensat(24</s/mail/alice>, NULL, NULL, 0) = 0',
    '9 renameat2(AT_FDCWD</s>, "/s/a", AT_FDCWD</s>, "/s/b", RENAME_EXCHANGE) = 0',
    '9 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 24</s/mail/alice>, 0) = 0x7f00',
    '9 write(8<anon_inode:[eventfd]>, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) = 8',
    '7 write(21<socket:[1]>, "+OK bye\\r\\n", 9) = 9',
    '9 unlink("/s/later") = 0',
  ];
  const [quit = [], ...others] = quitsIn(lines);
  assert.equal(others.length, 0);
  assert.deepEqual(
    changesIn(quit).map(({ call }) => call),
    [
      'unknown: fallocate',
      'unknown: copy_file_range',
      'create',
      'unknown: utimensat',
      'unknown: renameat2',
      'unknown: mmap',
    ],
  );
});

/** strace must be there, and the kernel must let it watch a process that is not its child. */
function traceable(): { readonly skip: string | false } {
  const { skip } = needs('strace');
  if (skip !== false || process.getuid?.() === 0) return { skip };
  return { skip: ptraceScope() !== '0' && 'needs root, or sysctl kernel.yama.ptrace_scope=0' };
}

function ptraceScope(): string {
  try {
    return readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1').trim();
  } catch {
    // Without Yama a user may watch his own processes.
    return '0';
  }
}
