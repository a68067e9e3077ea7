import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Daemon } from './support/daemon.ts';
import { until } from './support/fronts.ts';
import { onWire } from './support/mail.ts';
import { ConnectionLost, Pop3Client } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';

// What `npm start` serves: popper.config.ts of the root, word for word, in a folder of its own and on a free port.

const root = resolve(import.meta.dirname, '../..');
const popper = join(root, 'core/bin/popper.js');

test('the first start makes a user with mail, and prints lines that a newcomer can copy', async (t) => {
  const home = await newHome(t);
  const { daemon, told } = await home.start();
  const { host, port } = daemon.where;
  const password = (await readFile(join(home.folder, 'var/password.txt'), 'latin1')).trimEnd();
  assert.match(password, /^[\w-]{12}$/);
  const curl = `curl -u demo:${password} pop3://${host}:${port}`;
  assert.equal(told.lineFor('list the messages'), `${curl}/`);
  assert.equal(told.lineFor('read the first one'), `${curl}/1`);
  assert.deepEqual(told.telnet, {
    host,
    port,
    says: ['USER demo', `PASS ${password}`, 'LIST', 'RETR 2', 'QUIT'],
  });
  for (const file of ['password.txt', 'passwd', 'mail/demo'])
    assert.equal((await stat(join(home.folder, 'var', file))).mode & 0o777, 0o600, file);
});

test('whoever types the printed lines into telnet reads each message octet for octet', async (t) => {
  const home = await newHome(t);
  const { told } = await home.start();
  const stored = await storedIn(home);
  assert.equal(stored.length, 3);
  const client = await Pop3Client.connect(told.telnet);
  await client.line();
  const [user = '', pass = ''] = told.telnet.says;
  await client.ask(user);
  await client.ask(pass);
  for (const [index, message] of stored.entries())
    assert.ok((await client.askOctets(`RETR ${index + 1}`)).equals(onWire(message)), `message ${index + 1}`);
  await client.quit();
  assert.match(String(stored[1]), /\n\.\n\.\.\n\.\.\.[^\n]+\n/);
  assert.match(String(stored[2]), /^Content-Disposition: attachment; filename="dot\.gif"$/m);
});

test('whoever copies the printed lines for curl gets the list and the mail', needs('curl'), async (t) => {
  const home = await newHome(t);
  const { told } = await home.start();
  const stored = (await storedIn(home)).map(onWire);
  const curl = async (purpose: string): Promise<Buffer> =>
    (await run('sh', ['-c', told.lineFor(purpose)], { home: home.folder })).stdout;
  const listed = stored.map(({ length }, index) => `${index + 1} ${length}\r\n`).join('');
  assert.equal(String(await curl('list the messages')), listed);
  assert.ok((await curl('read the first one')).equals(stored[0] ?? Buffer.alloc(0)));
});

test('nobody but this machine can connect', async (t) => {
  const { daemon } = await (await newHome(t)).start();
  const { port } = daemon.where;
  assert.deepEqual(daemon.addresses, [{ host: '127.0.0.1', port }]);
  // Where it listened on all addresses, these would be among them.
  for (const host of ['127.0.0.2', '::1'])
    await assert.rejects(Pop3Client.connect({ host, port }), ConnectionLost, host);
});

test('the next start has the same password and prints it again, and what was deleted stays so', async (t) => {
  const home = await newHome(t);
  const first = await home.start();
  const [welcome, , attachment] = await storedIn(home);
  const [user = '', pass = ''] = first.told.telnet.says;
  const before = await loggedIn(first.told.telnet);
  await before.ask('DELE 2');
  await before.quit();
  assert.equal(await first.daemon.stop(), 0);
  const { told } = await home.start();
  assert.deepEqual(told.telnet.says.slice(0, 2), [user, pass]);
  assert.doesNotMatch(told.text, /was changed/);
  const client = await loggedIn(told.telnet);
  assert.match(await client.ask('STAT'), /^\+OK 2 /);
  for (const [index, message] of [welcome, attachment].entries())
    assert.ok((await client.askOctets(`RETR ${index + 1}`)).equals(onWire(message ?? Buffer.alloc(0))));
  await client.quit();
});

test('a start after the password was changed as the printed line says prints none that is refused', async (t) => {
  const home = await newHome(t);
  const first = await home.start();
  const { told } = first;
  assert.equal(await first.daemon.stop(), 0);
  const [, words = ''] = /\(npx (popper passwd add \S+) NAME\)/.exec(told.text) ?? [];
  const args = words.split(' ').slice(1);
  await run(process.execPath, [popper, ...args, 'demo'], { home: home.folder, input: 'another\n' });
  const later = await home.start();
  assert.equal(later.told.telnet.says[1], 'PASS PASSWORD');
  assert.match(later.told.text, /PASSWORD is the one that demo was given since/);
  await (await Pop3Client.loggedIn(later.told.telnet, 'demo', 'another')).quit();
});

/** A folder as a clone's root is, before anybody has started anything there. It goes with the test, and all that runs there. */
async function newHome(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-default-'));
  const daemons: Daemon[] = [];
  t.after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    await rm(folder, { recursive: true });
  });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const configFile = join(folder, 'popper.config.ts');
  await writeFile(configFile, await configOnFreePort());
  return {
    folder,
    /** Waits until all is said that is for whoever sits at the terminal. */
    async start() {
      const daemon = await Daemon.start(configFile);
      daemons.push(daemon);
      await until(() => daemon.said.includes('Ctrl-C stops it'));
      return { daemon, told: new Told(daemon.said) };
    },
  };
}

async function configOnFreePort(): Promise<string> {
  const config = await readFile(join(root, 'popper.config.ts'), 'utf8');
  const elsewhere = config.replace('port: 1110', 'port: 0');
  assert.notEqual(elsewhere, config, 'the configuration no longer has port 1110');
  return elsewhere;
}

/** What was printed, as somebody reads it who copies lines. */
class Told {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The one with this said behind it. */
  lineFor(purpose: string): string {
    const line = this.text.split('\n').find((text) => text.endsWith(`  ${purpose}`));
    assert.ok(line !== undefined, `no line is there to ${purpose}:\n${this.text}`);
    return line.slice(0, -purpose.length).trim();
  }

  get telnet() {
    const [, host = '', port, lines = ''] = /^ +telnet (\S+) (\d+)\n((?: {4}\S.*\n)+)/m.exec(this.text) ?? [];
    const says = lines.split('\n').map((line) => line.trim());
    return { host, port: Number(port), says: says.filter(Boolean) };
  }
}

const loggedIn = ({ says: [user = '', pass = ''], ...where }: Told['telnet']): Promise<Pop3Client> =>
  Pop3Client.loggedIn(where, user.slice('USER '.length), pass.slice('PASS '.length));

type Home = Awaited<ReturnType<typeof newHome>>;

/** The messages of the mbox, without what an mbox adds. */
async function storedIn({ folder }: Pick<Home, 'folder'>): Promise<readonly Buffer[]> {
  const mbox = await readFile(join(folder, 'var/mail/demo'), 'latin1');
  const [, ...entries] = mbox.split(/^From popper@localhost .*\n/m);
  return entries.map((entry) => Buffer.from(entry.replace(/\n$/, ''), 'latin1'));
}
