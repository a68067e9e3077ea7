import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { makeInbox } from './support/inbox.ts';
import { onWire, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';
import { logIn, makeSite, password, readMbox, type Site } from './support/site.ts';

const host = 'pop.example.org';

const bulletin = (subject: string): string =>
  `From postmaster Mon Nov  2 10:00:00 2026\nFrom: postmaster@example.org\nTo: everybody,\n\tat home\n` +
  `Status: RO\nDate: Mon, 02 Nov 2026 10:00:00 +0000\nMessage-ID: <${subject}@example.org>\nSubject: ${subject}\n\n` +
  `The server is down on Sunday.\n.\n`;

/** As alice gets it. */
const delivered = (name: string, subject: string): Buffer =>
  Buffer.from(
    `X-Popper-Key: bulletin ${name}\nFrom: postmaster@example.org\nTo: alice@${host}\n` +
      `Date: Mon, 02 Nov 2026 10:00:00 +0000\nMessage-ID: <${subject}@example.org>\nSubject: ${subject}\n\n` +
      `The server is down on Sunday.\n.\n`,
  );

/** A site where alice has mail and was here before the first bulletin. */
async function makeBulletinSite(t: TestContext) {
  const config = {
    plugins: [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: 'spool/{user}' }],
      ['bulletins', { folder: 'bulletins', host }],
    ],
  };
  const site = await makeSite(t, { config });
  await mkdir(join(site.folder, 'bulletins'));
  await putMail(site.mboxOf('alice'), plainMail.slice(0, 1));
  const daemon = await site.start();
  await (await logIn(daemon.where)).quit();
  return { site, daemon };
}

const put = (site: Site, name: string, subject: string): Promise<void> =>
  writeFile(join(site.folder, 'bulletins', name), bulletin(subject));

test('curl sees a bulletin arrive once, whatever becomes of daemon and message', needs('curl'), async (t) => {
  const { site, daemon } = await makeBulletinSite(t);
  const curl = async (port: number, path: string, ...args: readonly string[]): Promise<Buffer> => {
    const url = `pop3://127.0.0.1:${port}${path}`;
    const words = ['-sS', '--user', `alice:${password}`, ...args, url];
    return (await run('curl', words, { home: site.folder })).stdout;
  };
  const countAt = async (port: number): Promise<number> =>
    (await curl(port, '/')).toString('latin1').split('\r\n').length - 1;
  const { port } = daemon.where;

  assert.equal(await countAt(port), 1);
  await put(site, '23.pophost_down_sunday', 'down');
  assert.equal(await countAt(port), 2);
  assert.equal(await countAt(port), 2);
  const expected = delivered('23.pophost_down_sunday', 'down');
  assert.ok((await curl(port, '/2')).equals(onWire(expected)), 'octet for octet');
  assert.match((await readMbox(site)).toString(), /\nFrom popper Mon Nov  2 10:00:00 2026\nX-Popper-Key: /);

  await daemon.kill();
  const second = await site.start();
  assert.equal(await countAt(second.where.port), 2);
  await curl(second.where.port, '/2', '-X', 'DELE', '--head');
  assert.equal(await countAt(second.where.port), 1);

  await second.stop();
  const third = await site.start();
  assert.equal(await countAt(third.where.port), 1);
  await put(site, '100.up_again', 'up');
  assert.equal(await countAt(third.where.port), 2);
  const added = third.records.filter(({ msg }) => msg === 'bulletins added');
  assert.deepEqual(
    added.map((record) => record['bulletins']),
    [['100.up_again']],
  );
});

for (const keep of [true, false]) {
  const how = keep ? 'that leaves mail on the server' : 'that deletes what it has fetched';
  const clients: Readonly<Record<string, (site: Site, port: number, command: string) => Promise<void>>> = {
    async mpop(site, port, command) {
      const file = join(site.folder, 'mpoprc');
      const lines = [
        'account default',
        'host 127.0.0.1',
        `port ${port}`,
        'tls off',
        'auth user',
        'user alice',
        `password ${password}`,
        `delivery mda ${command}`,
        'received_header off',
        `keep ${keep ? 'on' : 'off'}`,
        `uidls_file ${join(site.folder, 'uidls')}`,
      ];
      await writeFile(file, lines.join('\n'), { mode: 0o600 });
      await run('mpop', ['-C', file, '--quiet'], { home: site.folder });
    },
    async fetchmail(site, port, command) {
      const file = join(site.folder, 'fetchmailrc');
      const lines = [
        'set no bouncemail',
        'set invisible',
        `poll 127.0.0.1 protocol pop3 port ${port} uidl no dns`,
        `user "alice" password "${password}" ${keep ? 'keep' : 'nokeep'} norewrite sslproto ''`,
        `mda "/bin/sh -c '${command}'"`,
        '',
      ];
      await writeFile(file, lines.join('\n'), { mode: 0o600 });
      const files = ['-f', file, '--idfile', join(site.folder, 'ids')];
      const env = { FETCHMAILHOME: site.folder };
      await run('fetchmail', files, { home: site.folder, env, fine: [0, 1] });
    },
  };
  for (const [name, fetch] of Object.entries(clients)) {
    test(`${name} ${how} gets each bulletin once`, needs(name), async (t) => {
      const { site, daemon } = await makeBulletinSite(t);
      const inbox = await makeInbox(site.folder);
      await put(site, '9.first', 'first');
      for (let round = 0; round < 2; round += 1) await fetch(site, daemon.where.port, inbox.command);
      await put(site, '10.second', 'second');
      await daemon.kill();
      const again = await site.start(daemon.where.port);
      for (let round = 0; round < 2; round += 1) await fetch(site, again.where.port, inbox.command);
      const fetched = (await inbox.fetched()).map((octets) => octets.toString('latin1')).toSorted();
      const expected = [
        plainMail[0]?.octets ?? '',
        delivered('9.first', 'first'),
        delivered('10.second', 'second'),
      ];
      assert.deepEqual(fetched, expected.map((octets) => octets.toString('latin1')).toSorted());
    });
  }
}

test("Python's poplib finds a bulletin behind its user's mail", needs('python3'), async (t) => {
  const { site, daemon } = await makeBulletinSite(t);
  await put(site, '1.news', 'news');
  const script =
    'import poplib,sys;p=poplib.POP3("127.0.0.1",int(sys.argv[1]));p.user("alice");p.pass_(sys.argv[2]);' +
    'print(len(p.list()[1]),b"\\n".join(p.retr(2)[1]).decode());p.quit()';
  for (let round = 0; round < 2; round += 1) {
    const args = ['-c', script, String(daemon.where.port), password];
    const { stdout } = await run('python3', args, { home: site.folder });
    assert.equal(stdout.toString(), `2 ${delivered('1.news', 'news').toString()}`);
  }
});

test('X4: of two sessions at once one is refused, and the bulletin comes once', async (t) => {
  const { site, daemon } = await makeBulletinSite(t);
  await put(site, '1.news', 'news');
  const first = await logIn(daemon.where);
  const second = await Pop3Client.connect(daemon.where);
  await second.line();
  await second.ask('USER alice');
  assert.match(await second.say(`PASS ${password}`), /^-ERR \[IN-USE\]/);
  second.destroy();
  assert.match(await first.ask('STAT'), /^\+OK 2 /);
  await first.quit();
  const third = await logIn(daemon.where);
  assert.match(await third.ask('STAT'), /^\+OK 2 /);
  await third.quit();
});

test('what popper bulletins adds is there at the next login, and its status says so', async (t) => {
  const { site, daemon } = await makeBulletinSite(t);
  const popper = async (words: readonly string[], input = ''): Promise<string> => {
    const program = join(import.meta.dirname, '../../core/bin/popper.js');
    const args = [program, 'bulletins', ...words, '-c', site.configFile];
    return (await run(process.execPath, args, { home: site.folder, input })).stdout.toString();
  };
  assert.equal(await popper(['add', '--subject', 'Down on Sunday'], 'Sorry.\n'), 'added 1.down_on_sunday\n');
  assert.match(await popper(['status']), / 0 {2}alice {2}\(1 at the next login/);
  const client = await logIn(daemon.where);
  const text = (await client.askOctets('RETR 2')).toString();
  assert.match(text, /\r\nSubject: Down on Sunday\r\n\r\nSorry\.\r\n$/);
  await client.quit();
  assert.equal(await popper(['status']), '1 bulletin, the highest number is 1\n         1  alice\n');
  assert.ok(text.endsWith((await popper(['preview', '1', 'alice'])).replaceAll('\n', '\r\n')));
});

test('a session goes on without bulletins where their folder has gone', async (t) => {
  const { site, daemon } = await makeBulletinSite(t);
  await rm(join(site.folder, 'bulletins'), { recursive: true });
  const client = await logIn(daemon.where);
  assert.match(await client.ask('STAT'), /^\+OK 1 /);
  await client.quit();
  const line = `Unable to open bulletin directory '${join(site.folder, 'bulletins')}'. (2)`;
  await daemon.logged(({ msg }) => msg === line);
  const counter = join(site.folder, 'state', String(process.getuid?.()), 'bulletins/alice/.popbull');
  assert.equal(await readFile(counter, 'latin1'), '0\n');
});
