// How long a big mbox takes to open: the first time, again, and after a delivery; and how fast it is read.
//   node -C popper-source test/bench/mbox-open.mjs [messages] [octets of each]
import { appendFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import storeMbox from 'popper-plugin-store-mbox';
import { memoryState } from 'popperd/testing';

const [messageCount = 100_000, messageOctets = 10_000] = process.argv.slice(2).map(Number);
const identity = { user: 'big', uid: process.getuid(), gid: process.getgid(), home: '/nonexistent' };
const folder = await mkdtemp(join(tmpdir(), 'popper-mbox-open-'));
const state = memoryState();

try {
  await make(messageCount);
  const path = join(folder, 'big');
  console.log(`${messageCount} messages, ${((await stat(path)).size / 1e6).toFixed(0)} MB`);
  const openBig = newStore();
  await measured('first open, STAT', () => session(openBig));
  await measured('open again, STAT', () => session(openBig));
  await measured('open again, new process (index on disk), STAT', () => session(newStore()));
  await measured('open again, LIST and UIDL', () => session(openBig, listing));
  await measured('open again, new process, LIST and UIDL', () => session(newStore(), listing));
  await deliver(2);
  await measured('open after 2 were delivered, STAT', () => session(openBig));
  await deliver(2);
  await measured('open after 2 were delivered, new process, STAT', () => session(newStore()));
  await measured('RETR of all', () => session(openBig, retrieval), messageCount * messageOctets);
  await measured('delete every other one, commit', () => session(openBig, halving));
  await measured('delete the rest, commit', () => session(openBig, drain));
} finally {
  await state.remove();
  await rm(folder, { recursive: true, force: true });
}

function newStore() {
  let openMaildrop;
  const taps = { tapPromise: () => {} };
  storeMbox({ spool: join(folder, '{user}'), reservedJournals: 0 }).apply({
    hooks: { check: taps, recover: taps, openMaildrop: { tapPromise: (_, tap) => (openMaildrop = tap) } },
    state,
    log: console,
    baseFolder: folder,
  });
  return openMaildrop;
}

async function session(openMaildrop, work = async () => {}) {
  const maildrop = await openMaildrop(identity);
  const opened = performance.now();
  await work(maildrop);
  await maildrop.close();
  return { opened, count: maildrop.count };
}

async function listing(maildrop) {
  await maildrop.load();
  for (let index = 0; index < maildrop.count; index += 1)
    void [maildrop.octetsOf(index), maildrop.uidOf(index)];
}

async function retrieval(maildrop) {
  await maildrop.load();
  const { signal } = new AbortController();
  for (let index = 0; index < maildrop.count; index += 1) {
    for await (const chunk of maildrop.read(index, signal)) void chunk;
  }
}

async function halving(maildrop) {
  await maildrop.commit(new Set(Array.from({ length: maildrop.count >> 1 }, (_, index) => index * 2)));
}

async function drain(maildrop) {
  await maildrop.commit(new Set(Array.from({ length: maildrop.count }, (_, index) => index)));
}

async function measured(what, work, octets) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { opened } = await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const rate = octets === undefined ? '' : `  ${(octets / 1e3 / wallMs).toFixed(0)} MB/s`;
  const times = `${(opened - start).toFixed(1)} ms to open, ${wallMs.toFixed(1)} ms in all`;
  console.log(`${what}: ${times}, CPU ${((user + system) / 1e3).toFixed(1)} ms${rate}`);
}

async function make(count) {
  const file = await open(join(folder, 'big'), 'ax', 0o600);
  for (let number = 0; number < count; number += 1000) {
    const texts = Array.from({ length: Math.min(1000, count - number) }, (_, at) => messageText(number + at));
    await file.write(texts.join(''));
  }
  await file.close();
}

async function deliver(count) {
  const texts = Array.from({ length: count }, () => messageText(Math.floor(Math.random() * 1e9)));
  await appendFile(join(folder, 'big'), texts.join(''));
}

function messageText(number) {
  const head =
    `From sender${number}@example.org Sun Mar  8 10:00:00 1992\n` +
    Array.from(
      { length: 6 },
      (_, at) => `Received: from relay${at}.example.org (relay${at} [192.0.2.${at}]) id ${number}\n`,
    ).join('') +
    `From: sender${number}@example.org\nTo: big@example.org\nSubject: message ${number}\n` +
    `Date: Sun, 8 Mar 1992 10:00:00 +0000\nMessage-ID: <${number}@example.org>\nMIME-Version: 1.0\n` +
    `Content-Type: text/plain\nX-Spam-Status: No\nStatus: O\n\n`;
  const line = `${'The quick brown fox jumps over the lazy dog. '.repeat(2).slice(0, 71)}\n`;
  return `${head}${line.repeat(Math.max(1, Math.floor((messageOctets - head.length) / line.length)))}\n`;
}
