import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import { recoverMailbox } from './recover.ts';
import { type RealMailbox, withMailbox } from './testing/real-mailbox.ts';

const first = Buffer.from(`From a\n\n${'a'.repeat(100)}\n\n`);
const rest = Buffer.from(`From b\n\n${'b'.repeat(200)}\n\nFrom c\n\n${'c'.repeat(100)}\n\n`);

test('U5: a real process killed at each step of a deletion loses and doubles nothing', async () => {
  const kinds = new Set<string>();
  let index = 0;
  while (!(await endsBefore(index, kinds))) index += 1;
  assert.deepEqual(kinds, new Set(['none', 'discarded', 'rolled forward', 'finished']));
});

/** Answers whether the process came to the end of the commit before that step. */
async function endsBefore(index: number, kinds: Set<string>): Promise<boolean> {
  let ended = false;
  await withMailbox(Buffer.concat([first, rest]), async (real) => {
    ended = await commitInProcess(real, index);
    const late = Buffer.from('From late\n\n\n');
    await real.mailbox.file.write(late, (await real.content()).length);
    const { kind } = await recoverMailbox(real.mailbox, real.settings);
    kinds.add(kind);
    const content = await real.content();
    const before = Buffer.concat([first, rest, late]);
    const done = content.equals(Buffer.concat([rest, late]));
    assert.ok(done || (!ended && content.equals(before)), `step ${index}: ${content.toString()}`);
  });
  return ended;
}

/** Answers whether the process came to the end of the commit. */
async function commitInProcess({ mailbox, settings }: RealMailbox, index: number): Promise<boolean> {
  const script = `
    import { commitDeletions, realFiles } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
    import { withFaultPoints } from ${JSON.stringify(import.meta.resolve('./testing/dying-files.ts'))};
    let left = ${index};
    const files = withFaultPoints(realFiles, async () => {
      left -= 1;
      if (left < 0) process.kill(process.pid, 'SIGKILL');
      if (left < 0) await new Promise((resolve) => setTimeout(resolve, 60_000));
    });
    const file = await files.open(${JSON.stringify(mailbox.path)}, 'read-write');
    const journalFolder = ${JSON.stringify(settings.journalFolder)};
    await commitDeletions({ path: ${JSON.stringify(mailbox.path)}, file }, Float64Array.of(0, ${first.length}),
      { files, journalFolder, chunkOctets: 150 });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: 'inherit',
  });
  const [code, signal] = await once(child, 'exit');
  assert.ok(code === 0 || signal === 'SIGKILL', `${code} ${signal}`);
  return code === 0;
}
