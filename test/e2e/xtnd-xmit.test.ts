import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Pop3Client } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';
import { logIn, makeSite } from './support/site.ts';

/** A Postfix of its own, which delivers whatever is for example.net into one mbox. Its master runs as root only. */
const missing = needs('postfix').skip;
const skip = process.getuid?.() === 0 ? missing : 'needs root, as Postfix does';

const folder = await mkdtemp(join(tmpdir(), 'popper-postfix-'));
const inbox = join(folder, 'mail/inbox');
let port = 0;

before(async () => {
  if (skip !== false) return;
  port = await freePort();
  await makePostfix();
  await run('postfix', ['-c', folder, 'start'], { home: folder, env: sbin });
});

after(async () => {
  if (skip === false) await run('postfix', ['-c', folder, 'stop'], { home: folder, env: sbin });
  await rm(folder, { recursive: true });
});

const sbin = { PATH: `/usr/sbin:/sbin:${process.env['PATH'] ?? ''}` };

const go = '+OK Start sending the message.';
const sent = '+OK Message sent successfully';

const bySendmail = { kind: 'sendmail', command: '/usr/sbin/sendmail', args: ['-C', folder] };
const bySmtp = () => ({ kind: 'smtp', host: '127.0.0.1', port, tls: 'none' });

test('a message goes out by the sendmail of Postfix, and comes to all recipients', { skip }, async (t) => {
  const client = await session(t, bySendmail);
  const header = ['From: alice@example.org', 'To: bob@example.net', 'Subject: by sendmail'];
  const text = ['', '.', '..two', '\xe4', 'From here', '-t', 'end of the first'];
  assert.equal(await say(client, ['Bcc: carol@example.net', ...header, ...text]), sent);
  assert.equal(await client.ask('STAT'), '+OK 0 0');
  const messages = await delivered('end of the first', 2);
  assert.deepEqual(messages.map((message) => /^X-Original-To: (.*)$/m.exec(message)?.[1]).toSorted(byText), [
    'bob@example.net',
    'carol@example.net',
  ]);
  for (const message of messages) {
    assert.match(message, /^Return-Path: <alice@example\.org>$/m);
    assert.doesNotMatch(message, /^Bcc:/im);
    assert.ok(message.includes(['', '', '.', '..two', '\xe4', '>From here', '-t', ''].join('\n')), message);
  }
});

test('a message goes out by SMTP, and one that hides another arrives as one', { skip }, async (t) => {
  const client = await session(t, bySmtp());
  client.send('XTND XMIT\r\n');
  assert.equal(await client.line(), go);
  client.send(
    'To: bob@example.net\r\n\r\nfirst\n.\r\nMAIL FROM:<eve@example.net>\r\nRCPT TO:<eve@example.net>\r\n',
  );
  client.send('\r.\rDATA\r\n..\r\nend of the second\r\n.\r\n');
  assert.equal(await client.line(), sent);
  const [message = ''] = await delivered('end of the second', 1);
  assert.match(
    message,
    /\n\nfirst\n\.\nMAIL FROM:<eve@example\.net>\nRCPT TO:<eve@example\.net>\n\n\.\nDATA\n\.\nend/,
  );
  assert.match(message, /^From: alice@example\.org$/m);
  assert.doesNotMatch(await readFile(inbox, 'latin1'), /^X-Original-To: eve/m);
});

test(
  'of what a client did not finish nothing is sent, whether it leaves or falls silent',
  { skip },
  async (t) => {
    const site = await siteWith(t, bySendmail, { idleTimeoutMs: 500 });
    const { where } = await site.start();
    const leaves = await logIn(where);
    leaves.send('XTND XMIT\r\nTo: bob@example.net\r\n\r\nthe half of a client that leaves\r\n.');
    assert.equal(await leaves.line(), go);
    leaves.destroy();
    const silent = await logIn(where);
    silent.send('XTND XMIT\r\nTo: bob@example.net\r\n\r\nthe half of a client that falls silent\r\n');
    assert.equal(await silent.line(), go);
    assert.doesNotMatch((await silent.rest()).toString(), /\+OK/);
    const client = await logIn(where);
    assert.equal(await say(client, ['To: bob@example.net', '', 'end of the third']), sent);
    await delivered('end of the third', 1);
    assert.doesNotMatch(await readFile(inbox, 'latin1'), /the half of a client/);
  },
);

test('nothing that stands among the recipients becomes an option of sendmail', { skip }, async (t) => {
  const client = await session(t, bySendmail);
  for (const to of ['-oQ/tmp', '-t@example.net', '"-bs"@example.net', '|touch', 'bob@example.net -bs']) {
    const answer = await say(client, [`To: ${to}`, '', 'an injection']);
    assert.match(answer, to.startsWith('bob') ? /^\+OK/ : /^-ERR .*; nothing was sent$/, to);
  }
  assert.equal(await say(client, ['To: bob@example.net', '', 'end of the fourth']), sent);
  await delivered('end of the fourth', 1);
});

test('a user who is refused by the server hears so, and can go on', { skip }, async (t) => {
  const client = await session(t, bySmtp());
  assert.equal(await say(client, ['To: bob@elsewhere.invalid', '', 'x']), '-ERR Unable to send message');
  assert.equal(await say(client, ['To: bob@example.net', '', 'end of the fifth']), sent);
  await delivered('end of the fifth', 1);
});

function siteWith(t: TestContext, transport: unknown, config: Readonly<Record<string, unknown>> = {}) {
  const plugins = [
    ['auth-passwd', { file: 'passwd' }],
    ['store-mbox', { spool: 'spool/{user}' }],
    ['xtnd-xmit', { transport, domain: 'example.org' }],
  ];
  return makeSite(t, { config: { hookDeadlineMs: 30_000, plugins, ...config } });
}

async function session(t: TestContext, transport: unknown): Promise<Pop3Client> {
  const site = await siteWith(t, transport);
  return logIn((await site.start()).where);
}

/** Sends these lines as a message, as a client does it; gives the answer. */
async function say(client: Pop3Client, lines: readonly string[]): Promise<string> {
  assert.equal(await client.ask('XTND XMIT'), go);
  client.send([...lines, ''].map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n'));
  client.send('.\r\n');
  return (await client.line()) ?? 'nothing';
}

/** The messages with this text, once so many have been delivered. */
async function delivered(text: string, count: number): Promise<readonly string[]> {
  for (let tries = 0; tries < 600; tries += 1) {
    const mbox = await readFile(inbox, 'latin1').catch(() => '');
    const found = mbox.split(/^(?=From )/m).filter((message) => message.includes(text));
    if (found.length >= count) return found;
    await delay(50);
  }
  throw new Error(`nothing with "${text}" was delivered:\n${await readFile(join(folder, 'log'), 'utf8')}`);
}

const byText = (one: string | undefined = '', other: string | undefined = ''): number =>
  one.localeCompare(other);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === 'string' ? 0 : address.port;
}

async function makePostfix(): Promise<void> {
  await chmod(folder, 0o755);
  const owner = async (name: string) => Number((await run('id', ['-u', name], { home: folder })).stdout);
  const nobody = await owner('nobody');
  for (const name of ['queue', 'data', 'mail']) await mkdir(join(folder, name));
  await chown(join(folder, 'data'), await owner('postfix'), 0);
  await chown(join(folder, 'mail'), nobody, 0);
  await writeFile(join(folder, 'main.cf'), mainOf(nobody));
  await writeFile(join(folder, 'master.cf'), services(port));
}

const mainOf = (uid: number): string => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = example.net
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = static:inbox
virtual_minimum_uid = 1
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${uid}
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
`;

const services = (smtpPort: number): string => `
127.0.0.1:${smtpPort} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
`;
