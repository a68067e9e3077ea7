import assert from 'node:assert/strict';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { ServedSite } from '../users/support/served-site.ts';
import { alice, bob } from '../users/support/site.ts';
import { mboxOf, onWire, plainMail, putMail } from './support/mail.ts';
import { needs, run } from './support/program.ts';
import { logIn, makeSite, password, readMbox, type Site } from './support/site.ts';

const [first, second] = [plainMail.slice(0, 1), plainMail.slice(1, 2)];

/** A site with a board of three messages, which are not those of its users. */
async function siteWithBoard(t: TestContext): Promise<Site> {
  const plugins = [
    ['auth-passwd', { file: 'passwd' }],
    ['store-mbox', { spool: 'spool/{user}' }],
    ['bboards', { folder: 'boards' }],
  ];
  const site = await makeSite(t, { config: { plugins } });
  await mkdir(join(site.folder, 'boards'));
  await writeFile(join(site.folder, 'boards/system'), mboxOf(plainMail.slice(2, 5)));
  return site;
}

/** What poplib has no method for is asked as poplib asks. */
const readBoard = `
import poplib, sys
host, port, user, password = sys.argv[1:]
pop = poplib.POP3(host, int(port), timeout=30)
pop.user(user)
pop.pass_(password)
print(pop._longcmd('XTND BBOARDS')[1])
print(pop._longcmd('XTND BBOARDS system')[1])
print(pop.list()[1])
print([len(b'\\r\\n'.join(pop.retr(number)[1]) + b'\\r\\n') for number in (1, 2, 3)])
pop.dele(1)
print(pop._longcmd('XTND BBOARDS ' + user)[1])
pop.dele(1)
pop.quit()
`;

test("Python's poplib reads a board and comes back to its own mail", needs('python3'), async (t) => {
  const site = await siteWithBoard(t);
  await putMail(site.mboxOf('alice'), first);
  const { where } = await site.start();
  const args = [where.host, String(where.port), 'alice', password];
  const { stdout } = await run('python3', ['-c', readBoard, ...args], { home: site.folder });
  const sizes = plainMail.slice(2, 5).map(({ octets }) => onWire(octets).length);
  const listing = sizes.map((size, index) => `b'${index + 1} ${size} ${index + 1}'`);
  assert.deepEqual(stdout.toString().trimEnd().split('\n'), [
    "[b'system 3']",
    "[b'system 3']",
    `[${listing.join(', ')}]`,
    `[${sizes.join(', ')}]`,
    "[b'alice 1']",
  ]);
  assert.equal((await readMbox(site)).length, 0);
});

test('while a client reads a board, another of the same user has his mail, without what the first deleted', async (t) => {
  const site = await siteWithBoard(t);
  await putMail(site.mboxOf('alice'), [...first, ...second]);
  const { where } = await site.start();
  const reader = await logIn(where);
  await reader.ask('DELE 1');
  await reader.askLines('XTND BBOARDS system');
  const other = await logIn(where);
  const size = onWire(second[0]?.octets ?? Buffer.alloc(0)).length;
  assert.equal(await other.ask('STAT'), `+OK 1 ${size}`);
  // The way back is closed as long as the other is there, which costs the reader his session.
  assert.match(await reader.say('XTND BBOARDS alice'), /^-ERR \[IN-USE\]/);
  await other.quit();
});

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

test('a user in a process of his own reads the boards that the system lets him read', { skip }, async (t) => {
  const served = await ServedSite.make([alice, bob], { plugins: [['bboards', { folder: 'boards' }]] });
  t.after(() => served.end());
  const boards = join(served.site.folder, 'boards');
  await mkdir(boards, { mode: 0o755 });
  await writeFile(join(boards, 'system'), mboxOf(first), { mode: 0o644 });
  await writeFile(join(boards, 'staff'), mboxOf(second), { mode: 0o640 });
  await chown(join(boards, 'staff'), 0, alice.gid);
  await served.start();
  const member = await served.logIn(alice);
  assert.deepEqual(await member.askLines('XTND BBOARDS'), ['system 1']);
  assert.deepEqual(await member.askLines('XTND BBOARDS staff'), ['staff 1']);
  assert.ok((await member.askOctets('RETR 1')).equals(onWire(second[0]?.octets ?? Buffer.alloc(0))));
  const stranger = await served.logIn(bob);
  assert.match(await stranger.say('XTND BBOARDS staff'), /^-ERR \[SYS\/PERM\]/);
  assert.deepEqual(await stranger.askLines('XTND BBOARDS system'), ['system 1']);
});
