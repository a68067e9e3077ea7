import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { coreOf } from './support/core.ts';
import { Front } from './support/front.ts';
import { alice, bob, Site, system, type User } from './support/site.ts';
import { SmallMaster } from './support/small-master.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

const letter = (subject: string, text = 'Hello.\n'): string =>
  `From carol@example.org Mon Nov  2 10:00:00 2026\nFrom: carol@example.org\nSubject: ${subject}\n\n${text}\n`;

interface Who {
  readonly ids: readonly unknown[];
  readonly pid: number;
  readonly checkedBy: number;
  readonly peer: unknown;
}

const who = async (client: Pop3Client): Promise<Who> => JSON.parse((await client.ask('XWHO')).slice(4));

describe('a server that becomes the user', { skip }, () => {
  let site: Site;
  let master: SmallMaster;
  let front: Front;

  before(async () => {
    site = await Site.make();
    await site.deliver(
      alice,
      letter('one') + letter('two', `${'x'.repeat(70)}\n`.repeat(20_000)) + letter('three'),
    );
    await site.deliver(bob, letter('for bob only'));
    master = await SmallMaster.start(site);
    front = await Front.start(coreOf(site.stateDir, site.spool), master);
  });
  after(async () => {
    front.close();
    await master.stop();
    await site.remove();
  });

  const login = (user: User): Promise<Pop3Client> =>
    Pop3Client.loggedIn({ host: '127.0.0.1', port: front.port }, user.name, user.password);

  test('gives each user his mail, as himself, and knows in his process who the client is', async () => {
    const [one, other] = [await login(alice), await login(bob)];
    assert.equal((await one.askLines('LIST')).length, 3);
    assert.match(String(await other.askOctets('RETR 1')), /Subject: for bob only/);
    const [ofAlice, ofBob] = [await who(one), await who(other)];
    assert.deepEqual(ofAlice.ids, [2001, 2001, [2001]]);
    assert.deepEqual(ofBob.ids, [2002, 2002, [2002]]);
    assert.deepEqual(ofAlice.peer, { address: '192.0.2.7', port: 4711 });
    // A fact that the auth process has set outlives the login.
    assert.deepEqual(
      [ofAlice.checkedBy, ofBob.checkedBy],
      [master.auth.process.pid, master.auth.process.pid],
    );
    await one.quit();
    await other.quit();
  });

  test('serves all sessions of a user in one process, and never two of one mailbox', async () => {
    const [one, other] = [
      await login(alice),
      await Pop3Client.connect({ host: '127.0.0.1', port: front.port }),
    ];
    const { pid } = await who(one);
    await other.line();
    await other.ask('USER alice');
    assert.match(await other.say(`PASS ${alice.password}`), /^-ERR \[IN-USE\]/);
    await one.quit();
    const again = await login(alice);
    assert.equal((await who(again)).pid, pid);
    await again.quit();
  });

  test('loses nothing of what a client sends in one go with its login', async () => {
    const client = await Pop3Client.connect({ host: '127.0.0.1', port: front.port });
    client.send(`USER alice\r\nPASS ${alice.password}\r\nSTAT\r\nUIDL\r\nRETR 2\r\nNOOP\r\nQUIT\r\n`);
    client.halfClose();
    const said = String(await client.rest());
    assert.match(
      said,
      /^\+OK [^]*\+OK 3 \d+\r\n\+OK[^]*\r\n\.\r\n\+OK[^]*\r\n\.\r\n\+OK[^\r]*\r\n\+OK bye\r\n$/,
    );
    assert.equal(said.split('x'.repeat(70)).length, 20_001);
  });

  test('deletes what the user has deleted, and reports the session once with all it came to', async () => {
    const client = await login(alice);
    await client.ask('DELE 1');
    await client.askOctets('RETR 3');
    await client.quit();
    await delay(50);
    assert.doesNotMatch(await site.mailOf(alice), /Subject: one/);
    const { mode, uid } = statSync(site.mboxOf(alice));
    assert.deepEqual([mode & 0o777, uid], [0o600, 2001]);
    const report = front.reports.at(-1);
    const { user, ending, deleted, left, retrieved } = report ?? {};
    assert.deepEqual(
      [user, ending, deleted?.messages, left?.messages, retrieved?.messages],
      ['alice', 'quit', 1, 2, 1],
    );
    // The octets are those on the client's wire, the login among them.
    const sentByClient = `USER alice\r\nPASS ${alice.password}\r\nDELE 1\r\nRETR 3\r\nQUIT\r\n`;
    assert.equal(report?.received, sentByClient.length);
  });

  for (const [what, user, file] of [
    ['the mail of a neighbour', alice, () => site.mboxOf(bob)],
    ['the passwords of the system', alice, () => '/etc/shadow'],
    ["a neighbour's indexes and locks", bob, () => join(site.stateDir, '2001', 'sessions', '00')],
    ['the memory of the process that checks passwords', bob, () => `/proc/${master.auth.process.pid}/mem`],
    ['the memory of its own master', bob, () => `/proc/${process.pid}/environ`],
  ] as const) {
    test(`cannot be made to read ${what} by somebody who has taken over the process of his own session`, async () => {
      const client = await login(user);
      assert.match(await client.say(`XREAD ${file()}`), /^-ERR (EACCES|EPERM)/);
      assert.match(await client.say(`XREAD ${site.mboxOf(user)}`), /^\+OK/);
      await client.quit();
    });
  }

  test('lets nobody in by a wrong password, by an unknown name, or as an account of the system', async () => {
    for (const [name, password] of [
      ['alice', 'black rabbit'],
      ['nobody-knows', 'me'],
      [system.name, system.password],
    ]) {
      const client = await Pop3Client.connect({ host: '127.0.0.1', port: front.port });
      await client.line();
      await client.ask(`USER ${name}`);
      assert.match(await client.say(`PASS ${password}`), /^-ERR \[AUTH\]/);
      client.destroy();
    }
  });

  test('shows in the process list whose session a process is at, and at which command', async () => {
    const client = await login(bob);
    await delay(1100);
    await client.ask('STAT');
    const { pid } = await who(client);
    await delay(1100);
    assert.match(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /^popper: bob 192\.0\.2\.7 XWHO/);
    await client.quit();
  });

  test('opens no debugger to a user who signals the process of his own session', async () => {
    const client = await login(bob);
    const { pid } = await who(client);
    const worker = master.workerOf(pid);
    const killed = spawnSync('kill', ['-USR1', String(pid)], {
      uid: bob.uid,
      gid: bob.gid,
      encoding: 'utf8',
    });
    assert.equal(killed.stderr, '');
    await delay(200);
    assert.doesNotMatch(worker.stderr, /[Dd]ebugger/);
    client.destroy();
  });

  test('ends only the sessions of a process that dies, says so in their reports, and starts another for the user', async () => {
    const [one, other] = [await login(alice), await login(bob)];
    const worker = master.workerOf((await who(one)).pid);
    const broken = once(one.socket, 'error');
    const rest = one.rest();
    worker.process.kill('SIGKILL');
    assert.equal(String(await rest), '');
    // A reset: whatever it was in the middle of, it cannot take it for whole.
    assert.match(String(await broken), /ECONNRESET/);
    await worker.exited;
    await delay(20);
    assert.equal(front.reports.at(-1)?.ending, 'failed');
    await other.ask('NOOP');
    await other.quit();
    const again = await login(alice);
    assert.notEqual((await who(again)).pid, worker.process.pid);
    await again.quit();
  });

  test('ends a session that an operator wants gone through the front, with a word to the client', async () => {
    const client = await login(alice);
    for (const { channel } of front.sessions.ofUser('alice')) channel.stop('kicked');
    assert.match(String(await client.rest()), /^-ERR \[SYS\/TEMP\] the operator/);
    // Before another session is reported.
    assert.equal(front.reports.at(-1)?.ending, 'kicked');
    await (await login(alice)).quit();
  });

  test('tells a worker at once that its client has broken the connection, so that the mailbox is free', async () => {
    const client = await login(alice);
    client.socket.resetAndDestroy();
    await delay(50);
    await (await login(alice)).quit();
  });
});
