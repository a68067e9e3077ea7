import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { childrenOf } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { ConnectionLost, Pop3Client } from '../e2e/support/pop3-client.ts';
import { needs } from '../e2e/support/program.ts';
import { freePort } from '../e2e/support/real-inetd.ts';
import { frontUser, ServedSite } from './support/served-site.ts';
import { alice } from './support/site.ts';

const skip = process.getuid?.() === 0 ? needs('systemd').skip : 'only root can serve users as themselves';

test(
  "with isolation: 'user' fronts accept from an inherited socket, and of those behind them nobody has it",
  { skip },
  async (t) => {
    const served = await ServedSite.make([alice], { config: { listen: [{ inherited: 'pop3' }] } });
    t.after(() => served.end());
    await served.site.deliver(alice, mboxOf(plainMail));
    const port = await freePort();
    const starting = served.start(['systemd-socket-activate', `--listen=127.0.0.1:${port}`, '--fdname=pop3']);
    await knock(port);
    const daemon = await starting;
    const client = await served.logIn(alice);
    const inode = await listenerAt(port);
    const children = await childrenOf(daemon);
    const uids = await Promise.all(children.map(uidOf));
    assert.ok(uids.includes(alice.uid) && uids.includes(0), String(uids));
    for (const [index, pid] of children.entries())
      if (uids[index] !== frontUser.uid) assert.ok(!(await has(pid, inode)), `uid ${uids[index]} has it`);
    const fronts = await served.pidsOf(/front/);
    for (const pid of fronts) assert.ok(await has(pid, inode), 'a front has it');
    await client.quit();
  },
);

/** Comes, and leaves: it is what popper is started for. */
async function knock(port: number): Promise<void> {
  for (;;) {
    try {
      return (await Pop3Client.connect({ host: '127.0.0.1', port })).destroy();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await delay(20);
    }
  }
}

/** The listening socket of a port, as the kernel calls it. */
async function listenerAt(port: number): Promise<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // State 0A is LISTEN.
  const line = new RegExp(`^ *\\d+: \\w+:${hex} \\S+ 0A (?:\\S+ +){5}(\\d+) `, 'm');
  return `socket:[${line.exec(await readFile('/proc/net/tcp', 'latin1'))?.[1]}]`;
}

async function has(pid: number, name: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const open = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')),
  );
  return open.includes(name);
}

const uidOf = async (pid: number): Promise<number> =>
  Number(/^Uid:\t(\d+)\t/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'))?.[1]);
