// Over 250 lines: it is the classic popper's manual page, point by point.
import assert from 'node:assert/strict';
import { chown, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { NameServer } from 'popperd/testing';

import { ClassicSite, skipsClassic } from './e2e/support/classic-site.ts';
import type { Daemon } from './e2e/support/daemon.ts';
import { childrenOf } from './e2e/support/fronts.ts';
import { mboxOf, onWire, plainMail } from './e2e/support/mail.ts';
import { Pop3Client, type Where } from './e2e/support/pop3-client.ts';
import { helper, run } from './e2e/support/program.ts';
import { password } from './e2e/support/site.ts';
import { SmallInetd } from './e2e/support/small-inetd.ts';
import { frontUser } from './users/support/served-site.ts';
import { alice, bob, type User } from './users/support/site.ts';

/** Facility local0, with the classic's three priorities (1.13). */
const priorities = { warning: '<132>', notice: '<133>', debug: '<135>' };
const said = (priority: keyof typeof priorities, line: string): RegExp =>
  new RegExp(`^${priorities[priority]}.* popper\\[[0-9]+\\]: ${line}$`);

const logIn = (where: Where, { name }: User): Promise<Pop3Client> =>
  Pop3Client.loggedIn(where, name, password);

const octetsOf = (index: number): number => onWire(plainMail[index]?.octets ?? Buffer.alloc(0)).length;
const octetsInAll = plainMail.reduce((octets, _, index) => octets + octetsOf(index), 0);

const subjectsIn = (mbox: Buffer) => mbox.toString('latin1').match(/^Subject: .*$/gm);

const bulletin = (number: number): string =>
  [
    'From operator@example.org Mon Nov  2 10:00:00 2026',
    'From: operator@example.org',
    'To: everybody@example.org,',
    '\tand more',
    'Status: RO',
    `Subject: bulletin ${number}`,
    '',
    'The power will be off.',
    '',
    '',
  ].join('\n');

describe('the manual page of the classic popper: popper -d -s -b FOLDER', { skip: skipsClassic }, () => {
  let site: ClassicSite;
  let daemon: Daemon;
  let names: NameServer;
  before(async () => {
    names = await NameServer.start({
      '2.113.0.203.in-addr.arpa': { PTR: ['gone.example.org'] },
      '3.113.0.203.in-addr.arpa': { PTR: ['mail.example.com'] },
      'mail.example.com': { A: ['198.51.100.1'] },
      '4.113.0.203.in-addr.arpa': { PTR: ['client.example.org'] },
      'client.example.org': { A: ['203.0.113.4'] },
    });
    site = await ClassicSite.make({ nameServer: names.address });
    await site.putBulletin('22.old_news', bulletin(22));
    await site.putBulletin('23.pophost_down_sunday', bulletin(23));
    await site.putBulletin('notes', bulletin(99));
    // Only root may make mailboxes in a spool: bob has had mail before.
    await site.deliver(bob, Buffer.alloc(0));
    daemon = await site.start('-d', '-s', '-b', site.bulletins);
  });
  after(async () => {
    await site.end();
    await names.stop();
  });

  test('1.1 it runs if a client that connects to either port is greeted', async () => {
    for (const where of daemon.addresses.slice(0, 2)) {
      const client = await Pop3Client.connect(where);
      assert.match((await client.line()) ?? '', /^\+OK /);
      assert.match(await client.quit(), /^\+OK /);
    }
  });

  test('1.1 -d sets SO_DEBUG on the sockets', async () => {
    const args = [helper('debugged-sockets.py'), String(daemon.pid)];
    const { stdout } = await run('python3', args, { home: site.folder });
    const ports = daemon.addresses.map((where) => ('port' in where ? where.port : 0));
    assert.deepEqual(
      stdout.toString().trim().split('\n').toSorted(),
      ports.map((port) => `${port} 1`).toSorted(),
    );
  });

  test('1.1 -d: all debug output goes to syslog at priority debug, and no password', async () => {
    const client = await logIn(daemon.where, alice);
    await client.ask('NOOP');
    await client.quit();
    for (const line of ['USER alice', 'PASS xxxxxxxxx', 'NOOP'])
      await site.syslog.with(said('debug', `Received \\(${line.length}\\): "${line}"`));
    assert.doesNotMatch(JSON.stringify(site.syslog.read), new RegExp(password));
  });

  test('1.1 and 1.13 -s: one line a session with user, messages and bytes deleted, messages and bytes left', async () => {
    await site.deliver(alice, mboxOf(plainMail));
    const [earlier, client] = [site.syslog.read.length, await logIn(daemon.where, alice)];
    await client.askOctets('RETR 2');
    await client.ask('DELE 1');
    await client.quit();
    const stats = `Stats: alice 1 ${octetsOf(0)} ${plainMail.length - 1} ${octetsInAll - octetsOf(0)}`;
    await site.syslog.with(said('notice', stats), earlier);
  });

  for (const [address, line] of [
    ['203.0.113.1', String.raw`\(v[^ ]+\) Unable to get canonical name of client, err = [0-9]+`],
    ['203.0.113.2', 'Client at "203.0.113.2" resolves to an unknown host name "gone.example.org"'],
    ['203.0.113.3', 'Client address "203.0.113.3" not listed for its host name "mail.example.com"'],
    ['203.0.113.4', undefined],
  ] as const) {
    test(`1.2 the session of ${address} goes on, whatever its name says of it`, async () => {
      const [, , where] = daemon.addresses;
      assert.ok(where !== undefined);
      const earlier = site.syslog.read.length;
      const client = await Pop3Client.connect(where);
      client.send(`PROXY TCP4 ${address} 192.0.2.1 4711 110\r\n`);
      assert.match((await client.line()) ?? '', /^\+OK /);
      await client.quit();
      await site.syslog.with(said('debug', `.*Ending request from "${address}" at ${address}`), earlier);
      if (line !== undefined) await site.syslog.with(said('notice', line), earlier);
      else assert.doesNotMatch(JSON.stringify(site.syslog.read.slice(earlier)), /client, err|host name/);
    });
  }

  test('1.4 if authentication fails, a warning is logged and the session ends', async () => {
    for (const user of ['alice', 'nobody-here']) {
      const earlier = site.syslog.read.length;
      const client = await Pop3Client.connect(daemon.where);
      await client.line();
      assert.equal(await client.ask(`USER ${user}`), `+OK Password required for ${user}.`);
      const refusal = await client.say('PASS wrong');
      assert.match(refusal, new RegExp(`^-ERR .*Password supplied for "${user}" is incorrect\\.$`));
      assert.equal(await client.line(), undefined);
      const warning = `Failed attempted login to ${user} from host 127\\.0\\.0\\.1`;
      await site.syslog.with(said('warning', warning), earlier);
    }
  });

  test("1.4 after authentication uid and gid are the user's", async () => {
    const client = await logIn(daemon.where, alice);
    const children = await childrenOf(daemon);
    const statuses = await Promise.all(children.map((pid) => readFile(`/proc/${pid}/status`, 'latin1')));
    assert.ok(statuses.some((status) => /^Uid:(\t2001){4}\nGid:(\t2001){4}$/m.test(status)));
    await client.quit();
  });

  test('1.8 a new user gets no old bulletins, and the highest number is noted in .popbull', async () => {
    const client = await logIn(daemon.where, bob);
    assert.equal(await client.ask('STAT'), '+OK 0 0');
    await client.quit();
    assert.equal(await readFile(join(site.homeOf(bob), '.popbull'), 'latin1'), '23\n');
    assert.equal((await stat(join(site.homeOf(bob), '.popbull'))).mode & 0o777, 0o600);
  });

  test('1.8 a new bulletin comes once, as an ordinary message that is addressed to the user', async () => {
    await site.putBulletin('24.pophost_up_again', bulletin(24));
    const first = await logIn(daemon.where, bob);
    assert.match(await first.ask('STAT'), /^\+OK 1 /);
    const text = (await first.askOctets('RETR 1')).toString('latin1');
    assert.match(text, /^To: bob@\S+\r\nSubject: bulletin 24\r$/m);
    assert.doesNotMatch(text, /^Status:|everybody|and more/m);
    await first.quit();
    assert.equal(await readFile(join(site.homeOf(bob), '.popbull'), 'latin1'), '24\n');
    const second = await logIn(daemon.where, bob);
    assert.match(await second.ask('STAT'), /^\+OK 1 /);
    await second.ask('DELE 1');
    await second.quit();
    const third = await logIn(daemon.where, bob);
    assert.equal(await third.ask('STAT'), '+OK 0 0');
    await third.quit();
  });

  test('1.9 XTND XMIT sends a message with sendmail', async () => {
    const client = await logIn(daemon.where, alice);
    assert.match(await client.ask('XTND XMIT'), /^\+OK Start sending (the )?message\.$/);
    client.send('To: carol@example.org\r\nSubject: by POP3\r\n\r\nline\r\n..dotted\r\n.\r\n');
    assert.equal(await client.line(), '+OK Message sent successfully');
    await client.quit();
    const [, ...message] = (await site.sent()).split('\n');
    assert.match(
      message.join('\n'),
      /^To: carol@example\.org\nSubject: by POP3\n(?:.+\n)*\nline\n\.dotted\n/m,
    );
  });

  test('1.10 XTND XLIST header [num] gives a header of all messages, or of one', async () => {
    await site.deliver(alice, mboxOf(plainMail));
    const client = await logIn(daemon.where, alice);
    for (const keyword of ['XLIST', 'XLST']) {
      const lines = await client.askLines(`XTND ${keyword} Subject`);
      assert.ok(lines.length >= plainMail.length);
      assert.match(lines[0] ?? '', /^1 Subject: /);
      assert.match((await client.askLines(`XTND ${keyword} subject 2`))[0] ?? '', /^2 Subject: /);
    }
    await client.quit();
  });

  test('1.14 maildrops are files of the spool: what was not deleted is there after the session', async () => {
    await site.deliver(alice, mboxOf(plainMail));
    const client = await logIn(daemon.where, alice);
    await client.ask('DELE 1');
    await client.quit();
    const left = subjectsIn(await readFile(site.mboxOf(alice)));
    assert.deepEqual(left, subjectsIn(mboxOf(plainMail.slice(1))));
  });

  test('1.15 LAST and TOP of RFC 1081, and UIDL of RFC 1939, are there', async () => {
    await site.deliver(alice, mboxOf(plainMail));
    const client = await logIn(daemon.where, alice);
    assert.match(await client.ask('LAST'), /^\+OK 0\b/);
    await client.askOctets('RETR 2');
    assert.match(await client.ask('LAST'), /^\+OK 2\b/);
    assert.match((await client.askOctets('TOP 1 0')).toString('latin1'), /\r\n\r\n$/);
    assert.equal((await client.askLines('UIDL')).length, plainMail.length);
    await client.quit();
  });
});

describe(
  'the manual page of the classic popper: its other ways to be started',
  { skip: skipsClassic },
  () => {
    let site: ClassicSite;
    before(async () => {
      site = await ClassicSite.make();
      await site.deliver(alice, mboxOf(plainMail));
    });
    after(() => site.end());

    test('1.1 inetd starts it with the connection as descriptor 0, and each process serves one session', async (t) => {
      const inetd = await SmallInetd.start(t, { args: ['-c', site.configFile, '-s'] });
      const client = await logIn(inetd.where, alice);
      assert.match(await client.ask('STAT'), /^\+OK [0-9]/);
      await client.quit();
      assert.equal(await (await inetd.last()).exited, 0);
      await site.syslog.with(said('notice', 'Stats: alice 0 0 [0-9]+ [0-9]+'));
    });

    test('1.1 an option that it does not have is answered with its usage and exit code 1', async () => {
      const { exitCode, stderr } = await site.run('-x');
      assert.equal(exitCode, 1);
      assert.ok(
        stderr.startsWith('Usage: popper [-d] [-k] [-s] [-t trace-file] [-T timeout] [-b bulldir]\n'),
      );
    });

    test('1.1 -k is refused where there is no Kerberos', async () => {
      const { exitCode, stderr } = await site.run('-k');
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /-k asks for Kerberos/);
    });

    test('1.1 -t appends to the file what is said, in the place of syslog, and never a password', async () => {
      // Whom strangers are talked to as writes it, and has to be able to.
      await mkdir(join(site.folder, 'traces'));
      await chown(join(site.folder, 'traces'), frontUser.uid, frontUser.uid);
      const file = join(site.folder, 'traces/trace');
      const daemon = await site.start('-t', file);
      const earlier = site.syslog.read.length;
      const client = await logIn(daemon.where, alice);
      await client.ask('NOOP');
      await client.quit();
      const line = `Tracing session and debugging information in file "${file}"`;
      await site.syslog.with(said('notice', line));
      await daemon.logged(
        ({ msg, plugin, text }) => msg === 'received' && plugin === 'trace' && text === 'QUIT',
      );
      const trace = await readFile(file, 'utf8');
      assert.match(trace, /^20\S+ [0-9]+ \S+ alice\/127\.0\.0\.1 received PASS \*\*\*$/m);
      assert.doesNotMatch(trace, new RegExp(password));
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.doesNotMatch(JSON.stringify(site.syslog.read.slice(earlier)), /Received/);
    });

    test('1.1 a trace file that cannot be opened is logged, and the exit code is 1', async () => {
      const file = join(site.folder, 'none/trace');
      await site.stop();
      const { exitCode, stderr } = await site.run('-t', file);
      assert.equal(exitCode, 1);
      const line = `Unable to open trace file "${file}", err = 2`;
      assert.ok(stderr.includes(`${line}\n`), stderr);
      await site.syslog.with(/Unable to open trace file .*, err = 2/);
    });

    test('1.1 -T: a client that sends no command for so many seconds is sent away', async () => {
      const daemon = await site.start('-T', '1');
      const client = await logIn(daemon.where, alice);
      await client.ask('DELE 1');
      assert.equal(await client.line(), undefined);
      await site.syslog.with(said('notice', 'POP timeout from 127\\.0\\.0\\.1'));
      const again = await logIn(daemon.where, alice);
      assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
      await again.quit();
    });
  },
);
