// How long XTND XLST takes over a big mbox, and what memory the daemon needs for it.
//   npm run build && node test/bench/xlist.mjs [messages] [octets of each]
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Daemon } from '../e2e/support/daemon.ts';
import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { makeMessage } from './mail.ts';

const [messageCount = 100_000, messageOctets = 4_000] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), 'popper-xlist-'));

try {
  await mkdir(join(folder, 'spool'));
  await pipeline(Readable.from(messages()), createWriteStream(join(folder, 'spool/alice')));
  await writeFile(join(folder, 'passwd'), 'alice:{PLAIN}secret\n', { mode: 0o600 });
  const configFile = join(folder, 'popper.config.json');
  await writeFile(configFile, JSON.stringify(config()), { mode: 0o600 });
  const daemon = await Daemon.start(configFile);
  const client = await Pop3Client.loggedIn(daemon.where, 'alice', 'secret');
  console.log(
    await client.ask('LIST 1'),
    `of ${messageCount} messages; RSS ${await residentMib(daemon)} MiB`,
  );
  for (const header of ['Message-Id', 'Subject', 'X-Nowhere']) {
    const startedAtMs = performance.now();
    const lines = await client.askLines(`XTND XLST ${header}`);
    const tookMs = performance.now() - startedAtMs;
    console.log(
      `XTND XLST ${header}: ${lines.length} lines in ${tookMs.toFixed(0)} ms; RSS ${await residentMib(daemon)} MiB`,
    );
  }
  await client.quit();
  await daemon.stop();
} finally {
  await rm(folder, { recursive: true, force: true });
}

function* messages() {
  for (let number = 1; number <= messageCount; number += 1)
    yield makeMessage(`message-${number}`, messageOctets).stored;
}

function config() {
  return {
    listen: [{ host: '127.0.0.1', port: 0 }],
    stateDir: 'state',
    fronts: 1,
    log: { format: 'json' },
    plugins: [['auth-passwd', { file: 'passwd' }], ['store-mbox', { spool: 'spool/{user}' }], 'xtnd-xlist'],
  };
}

/** The largest it has been so far. */
async function residentMib({ pid }) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}
