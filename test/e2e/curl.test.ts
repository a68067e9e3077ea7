import assert from 'node:assert/strict';
import { test } from 'node:test';

import { awkwardMail, largeMessage, onWire, plainMail, putMail } from './support/mail.ts';
import { needs, run } from './support/program.ts';
import { makeSite, password, readMbox } from './support/site.ts';

const mail = [...plainMail, ...awkwardMail];

test('curl fetches every message as it is stored, octet for octet', needs('curl'), async (t) => {
  const { site, curl } = await started(t);
  for (const [index, { name, octets }] of mail.entries()) {
    assert.ok((await curl(`/${index + 1}`)).equals(onWire(octets)), name);
  }
  assert.ok((await readMbox(site)).length > 0, 'reading removes nothing');
});

test('curl lists what it then fetches: the same sizes', needs('curl'), async (t) => {
  const { curl } = await started(t);
  const expected = mail.map(({ octets }, index) => `${index + 1} ${onWire(octets).length}`);
  assert.deepEqual(linesOf(await curl('/')), expected);
});

test(
  'curl finds a different unique-id for every message, and the same ones again',
  needs('curl'),
  async (t) => {
    const { curl } = await started(t);
    const first = linesOf(await curl('/', '-X', 'UIDL'));
    assert.equal(new Set(first.map((line) => line.split(' ')[1])).size, mail.length);
    assert.deepEqual(linesOf(await curl('/', '-X', 'UIDL')), first);
  },
);

test('what curl deletes is gone for the next one', needs('curl'), async (t) => {
  const { curl } = await started(t);
  await curl('/2', '-X', 'DELE', '--head');
  const left = mail.filter((_, index) => index !== 1);
  assert.deepEqual(
    linesOf(await curl('/')),
    left.map(({ octets }, index) => `${index + 1} ${onWire(octets).length}`),
  );
});

test('curl is refused with the wrong password', needs('curl'), async (t) => {
  const { site, url } = await started(t);
  const { exitCode } = await run('curl', ['-s', '--user', 'alice:wrong', `${url}/1`], {
    home: site.folder,
    fine: [67],
  });
  assert.equal(exitCode, 67);
});

test('curl that is cut off in the middle of a message says so by its exit code', needs('curl'), async (t) => {
  const site = await makeSite(t, { config: { idleTimeoutMs: 500, hookDeadlineMs: 200 } });
  await putMail(site.mboxOf('alice'), [largeMessage]);
  const { host, port } = (await site.start()).where;
  // As on a laptop that is closed in the middle of it, and opened again.
  const script = `
    curl -sS --user 'alice:${password}' --limit-rate 2M -o begun pop3://${host}:${port}/1 & curl=$!
    until [ -s begun ]; do sleep 0.05; done
    kill -STOP $curl; sleep 2; kill -CONT $curl; wait $curl`;
  const { exitCode, stderr } = await run('sh', ['-c', script], { home: site.folder, fine: [18, 56] });
  assert.match(stderr, /curl: \((18|56)\)/);
  assert.ok([18, 56].includes(exitCode));
});

async function started(t: Parameters<typeof makeSite>[0]) {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), mail);
  const { host, port } = (await site.start()).where;
  const url = `pop3://${host}:${port}`;
  const curl = async (path: string, ...args: readonly string[]): Promise<Buffer> => {
    const words = ['-sS', '--user', `alice:${password}`, ...args, `${url}${path}`];
    return (await run('curl', words, { home: site.folder })).stdout;
  };
  return { site, url, curl };
}

const linesOf = (octets: Buffer): string[] => octets.toString('latin1').split('\r\n').slice(0, -1);
