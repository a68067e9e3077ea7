import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { childrenOf, titleOf, until } from '../e2e/support/fronts.ts';
import { largeMessage, mboxOf, onWire, plainMail } from '../e2e/support/mail.ts';
import { Pop3Client, type TcpAddress } from '../e2e/support/pop3-client.ts';
import { needs, run } from '../e2e/support/program.ts';
import { startInetd } from '../e2e/support/real-inetd.ts';
import { popper, SmallInetd, type SmallInetdOptions } from '../e2e/support/small-inetd.ts';
import { frontUser, ServedSite } from './support/served-site.ts';
import type { User } from './support/site.ts';

const saboteur = join(import.meta.dirname, '../e2e/support/saboteur.ts');
const tools = ['/usr/sbin/useradd', '/usr/sbin/chpasswd', '/usr/sbin/userdel'];
const group = Number(spawnSync('getent', ['group', 'mail'], { encoding: 'utf8' }).stdout.split(':')[2]);
const refusal = '-ERR [SYS/TEMP] this server cannot serve anybody now, try again later\r\n';

function skipped(): string | false {
  if (process.getuid?.() !== 0)
    return 'needs root, to make users of the system and to serve them as themselves';
  const missing = tools.filter((tool) => !existsSync(tool));
  return missing.length > 0 && `needs ${missing.join(', ')} (Debian package passwd)`;
}

interface InetdSite {
  readonly user: User;
  readonly served: ServedSite;
}

/** A user of this system for as long as the test lasts, and a site that inetd is to serve. */
async function makeInetdSite(
  t: TestContext,
  config: Readonly<Record<string, unknown>> = {},
): Promise<InetdSite> {
  const user = makeUser();
  const served = await ServedSite.make([], { logins: ['auth-shadow', {}] });
  const { spool } = served.site;
  t.after(() => served.end());
  await chown(spool, 0, group);
  await chmod(spool, 0o2775);
  await served.deliverForMail(user, mboxOf(plainMail), group);
  // All the locks that a Debian spool asks for.
  const store = ['store-mbox', { spool: join(spool, '{user}') }];
  await served.configure({
    log: { format: 'json', level: 'debug' },
    // As for popper.service: nobody gives it here.
    listen: [{ inherited: 'pop3' }],
    plugins: [['auth-shadow', {}], store],
    ...config,
  });
  return { user, served };
}

const made: string[] = [];
// When no process is one of them any more.
after(() => {
  for (const name of made) execFileSync('/usr/sbin/userdel', [name]);
});

function makeUser(): User {
  const [name, password] = [`popper-inetd-${process.pid}-${made.length}`, 'a pass phrase'];
  execFileSync('/usr/sbin/useradd', ['--no-create-home', '--user-group', name]);
  made.push(name);
  execFileSync('/usr/sbin/chpasswd', { input: `${name}:${password}\n` });
  const [uid, gid] = ['-u', '-g'].map((what) =>
    Number(execFileSync('id', [what, name], { encoding: 'utf8' })),
  );
  return { name, uid: uid ?? 0, gid: gid ?? 0, password };
}

const inetdOf = (
  t: TestContext,
  { served }: InetdSite,
  options: Partial<SmallInetdOptions> = {},
): Promise<SmallInetd> =>
  SmallInetd.start(t, { ...options, args: ['-c', served.configFile, ...(options.args ?? [])] });

const logIn = (where: TcpAddress, { name, password }: User): Promise<Pop3Client> =>
  Pop3Client.loggedIn(where, name, password);

/** The uids that a process has, by its pid. */
async function uidOf(pid: number): Promise<number> {
  return Number(/^Uid:\t(\d+)\t/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

/** What a process has open, as the kernel calls it. */
async function openIn(pid: number): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder);
  return Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
}

describe('popper --inetd as root, for users of this system', { skip: skipped() }, () => {
  test('one who is refused, and leaves, leaves no process and nothing in the folder for state behind', async (t) => {
    const site = await makeInetdSite(t);
    const inetd = await inetdOf(t, site);
    const client = await Pop3Client.connect(inetd.where);
    await client.line();
    await client.ask(`USER ${site.user.name}`);
    assert.match(await client.say('PASS wrong'), /^-ERR \[AUTH\]/);
    const { process: child, exited } = await inetd.last();
    const children = await childrenOf({ pid: child.pid ?? 0 });
    assert.ok(children.length > 0);
    client.destroy();
    assert.equal(await exited, 0);
    for (const pid of children) assert.ok(!existsSync(`/proc/${pid}`), `process ${pid} is there`);
    const left = await readdir(site.served.site.stateDir);
    assert.deepEqual(
      left.filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('a session is served by a front who is nobody and by the user himself, and no process that is root has the connection', async (t) => {
    const site = await makeInetdSite(t);
    const inetd = await inetdOf(t, site);
    const client = await logIn(inetd.where, site.user);
    const { process: child } = await inetd.last();
    const pid = child.pid ?? 0;
    const processes = [pid, ...(await childrenOf({ pid }))];
    const uids = await Promise.all(processes.map(uidOf));
    for (const uid of [0, frontUser.uid, site.user.uid]) assert.ok(uids.includes(uid), `one is ${uid}`);
    const connection = await serversEndOf(client);
    const roots = processes.filter((_, index) => uids[index] === 0);
    // It may be on its way from the front to the user.
    await until(async () => !(await Promise.all(roots.map(openIn))).flat().includes(connection));
    const others = processes.filter((one) => !roots.includes(one));
    assert.ok((await Promise.all(others.map(openIn))).flat().includes(connection));
    await client.quit();
  });

  test('mail is read octet for octet and deleted for good under the locks of the spool, which are gone then', async (t) => {
    const site = await makeInetdSite(t);
    const inetd = await inetdOf(t, site);
    const client = await logIn(inetd.where, site.user);
    for (const [index, { name, octets }] of plainMail.entries())
      assert.ok((await client.askOctets(`RETR ${index + 1}`)).equals(onWire(octets)), name);
    await client.ask('DELE 1');
    client.send('QUIT\r\n');
    assert.match((await client.rest()).toString(), /^\+OK [^\r\n]*\r\n$/);
    assert.equal(await (await inetd.last()).exited, 0);
    const { served, user } = site;
    assert.equal(await served.site.mailOf(user), mboxOf(plainMail.slice(1)).toString('latin1'));
    assert.deepEqual(await readdir(served.site.spool), [user.name]);
    assert.equal((await stat(served.site.mboxOf(user))).uid, user.uid);
  });

  test('one user has one session, whichever process serves it', async (t) => {
    const site = await makeInetdSite(t, { listen: [{ host: '127.0.0.1', port: 0 }] });
    const inetd = await inetdOf(t, site);
    const first = await logIn(inetd.where, site.user);
    assert.match(await passwordOf(site.user, inetd.where), /^-ERR \[IN-USE\]/);
    const { where } = await site.served.start();
    assert.match(await passwordOf(site.user, where), /^-ERR \[IN-USE\]/);
    await first.quit();
  });

  test('a front that dies takes the session along, and the exit code says so; no mail is lost', async (t) => {
    const site = await makeInetdSite(t);
    const inetd = await inetdOf(t, site);
    const client = await Pop3Client.connect(inetd.where);
    await client.line();
    const { process: child, exited } = await inetd.last();
    const children = await childrenOf({ pid: child.pid ?? 0 });
    const uids = await Promise.all(children.map(uidOf));
    // The locker is the same user, in another group.
    for (const [index, pid] of children.entries())
      if (uids[index] === frontUser.uid && /front/.test(await titleOf(pid))) process.kill(pid, 'SIGKILL');
    assert.equal((await client.rest()).length, 0);
    assert.equal(await exited, 1);
    for (const pid of children) assert.ok(!existsSync(`/proc/${pid}`), `process ${pid} is there`);
  });

  test('where the process above is killed, the others end, and no mail is lost', async (t) => {
    const site = await makeInetdSite(t);
    const inetd = await inetdOf(t, site);
    const { served, user } = site;
    await served.deliverForMail(user, mboxOf([largeMessage, ...plainMail]), group);
    const client = await logIn(inetd.where, user);
    await client.ask('DELE 2');
    await client.ask('RETR 1');
    const { process: child } = await inetd.last();
    const children = await childrenOf({ pid: child.pid ?? 0 });
    child.kill('SIGKILL');
    await delay(200);
    // Its session is told by the process that has it, and by nobody else.
    assert.ok((await client.body()).equals(onWire(largeMessage.octets)));
    const stopped = /^-ERR \[SYS\/TEMP\] the server is being stopped, [^\r\n]*\r\n$/;
    assert.match((await client.rest()).toString(), stopped);
    await until(() => children.every((pid) => !existsSync(`/proc/${pid}`)));
    assert.ok((await served.site.mailOf(user)) === mboxOf([largeMessage, ...plainMail]).toString('latin1'));
  });

  test('a front that cannot begin is explained to the operator; the client hears one line', async (t) => {
    const plugins = [[saboteur, { broken: 'no front today' }]];
    const site = await makeInetdSite(t, { plugins });
    const inetd = await inetdOf(t, site, { errors: 'operator' });
    const client = await Pop3Client.connect(inetd.where);
    assert.equal((await client.rest()).toString(), refusal);
    const { exited, said } = await inetd.last();
    assert.equal(await exited, 1);
    assert.match(await said, /popper: cannot start: .*no front today/);
  });

  test('a script that is root talks to it by pipes', async (t) => {
    const { served, user } = await makeInetdSite(t);
    const lines = [`USER ${user.name}`, `PASS ${user.password}`, 'RETR 1', 'QUIT', ''].join('\r\n');
    const shell = 'cat | "$0" "$@" | cat';
    const args = ['-c', shell, process.execPath, popper, '--inetd', '-c', served.configFile];
    const { stdout, stderr } = await run('sh', args, { home: '/', input: lines });
    assert.ok(stdout.includes(onWire(plainMail[0]?.octets ?? Buffer.alloc(0))), stdout.toString());
    assert.match(stdout.toString(), /\r\n\+OK [^\r\n]*\r\n$/);
    assert.match(stderr, /"address":"pipe".*"ending":"quit"/);
  });

  test(
    'openbsd-inetd, whose service is root, serves a user of the system',
    needs('openbsd-inetd'),
    async (t) => {
      const { served, user } = await makeInetdSite(t);
      const { folder } = served.site;
      const where = await startInetd(t, { folder, configFile: served.configFile });
      const client = await logIn(where, user);
      await client.ask('DELE 1');
      await client.quit();
      const again = await logIn(where, user);
      assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length - 1} `));
      await again.quit();
    },
  );
});

describe('popper --inetd as a user of this system who is not root', { skip: skipped() }, () => {
  test("serves mail that is his with isolation: 'none', in one process that is he", async (t) => {
    const site = await ownSite(t, 'none');
    const { user, served } = site;
    const inetd = await inetdOf(t, site, { as: user });
    const client = await logIn(inetd.where, { ...user, name: 'alice' });
    const { process: child, exited } = await inetd.last();
    const pid = child.pid ?? 0;
    assert.deepEqual([await uidOf(pid), await childrenOf({ pid })], [user.uid, []]);
    await client.ask('DELE 1');
    await client.quit();
    assert.equal(await exited, 0);
    const rest = await readFile(join(served.site.spool, 'alice'));
    assert.ok(rest.equals(mboxOf(plainMail.slice(1))));
  });

  test('openbsd-inetd starts it as him', needs('openbsd-inetd'), async (t) => {
    const { user, served } = await ownSite(t, 'none');
    const { folder } = served.site;
    const where = await startInetd(t, { folder, configFile: served.configFile, user: user.name });
    const client = await logIn(where, { ...user, name: 'alice' });
    assert.match(await client.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
    await client.quit();
  });

  test("lets nobody in with isolation: 'user', for which it has no rights", async (t) => {
    const site = await ownSite(t, 'user');
    const inetd = await inetdOf(t, site, { as: site.user, errors: 'operator' });
    const client = await Pop3Client.connect(inetd.where);
    assert.equal((await client.rest()).toString(), refusal);
    const { exited, said } = await inetd.last();
    assert.equal(await exited, 1);
    assert.match(await said, /isolation: 'user' needs root/);
  });
});

/** What is said to PASS. */
async function passwordOf({ name, password }: User, where: TcpAddress): Promise<string> {
  const client = await Pop3Client.connect(where);
  await client.line();
  await client.ask(`USER ${name}`);
  return client.say(`PASS ${password}`);
}

/** The socket at the server's end, as the kernel calls it. */
async function serversEndOf({ socket }: Pop3Client): Promise<string> {
  const ends = `^ *\\d+: \\w+:${hex(socket.remotePort)} \\w+:${hex(socket.localPort)} (?:\\S+ +){6}(\\d+)`;
  const [, inode] = new RegExp(ends, 'm').exec(await readFile('/proc/net/tcp', 'latin1')) ?? [];
  return `socket:[${inode}]`;
}

/** Everything is his, with a password file of popper's own. */
async function ownSite(t: TestContext, isolation: 'none' | 'user'): Promise<InetdSite> {
  const site = await makeInetdSite(t);
  const { served, user } = site;
  const { folder, spool, stateDir } = served.site;
  await writeFile(join(folder, 'passwd'), `alice:{PLAIN}${user.password}\n`);
  await writeFile(join(spool, 'alice'), mboxOf(plainMail));
  for (const path of [join(folder, 'passwd'), spool, join(spool, 'alice'), stateDir])
    await chown(path, user.uid, user.gid);
  await chmod(join(folder, 'passwd'), 0o600);
  const store = ['store-mbox', { spool: join(spool, '{user}') }];
  await served.configure({ isolation, plugins: [['auth-passwd', { file: 'passwd' }], store] });
  // He loads it himself.
  await chmod(served.configFile, 0o644);
  return site;
}

const hex = (port = 0): string => port.toString(16).toUpperCase().padStart(4, '0');
