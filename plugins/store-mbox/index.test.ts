import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { memoryHost, TestServer } from 'popperd/testing';

import { checkSpool, type MayUse } from './check.ts';
import storeMbox from './index.ts';
import { options } from './options.ts';
import { openBeside } from './testing/disk-state.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { letter } from './testing/sessions.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-store-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function report(spool: string, mayUse?: MayUse, owner?: number, over = {}): Promise<readonly string[]> {
  const said: string[] = [];
  const say =
    (kind: string) =>
    (what: string): void => {
      said.push(`${kind}: ${what.replaceAll(folder, 'FOLDER')}`);
    };
  const checkup = { fine: say('fine'), warning: say('warning'), problem: say('problem') };
  await checkSpool(checkup, options.parse({ spool, owner, ...over }), folder, mayUse);
  return said;
}

const mayEnter = async (_: string, mode: number): Promise<boolean> => mode === constants.X_OK;
const mayNothing = async (): Promise<boolean> => false;

const mayOnlyWriteFolder = async (path: string): Promise<boolean> => path.endsWith('/');

describe('popper check looks at the spool', () => {
  it('and is content with one that is there', async () => {
    assert.deepEqual(await report('{user}'), ['fine: the spool folder FOLDER/ is there']);
  });

  it('and says that it is missing, or no folder', async () => {
    assert.deepEqual(await report('mail/{user}'), ['problem: there is no spool folder FOLDER/mail/']);
    await writeFile(join(folder, 'mail'), '');
    assert.deepEqual(await report('mail/{user}'), ['problem: there is no spool folder FOLDER/mail/']);
  });

  it('and finds mail that a classic popper left where nobody sees it', async () => {
    for (const name of ['.ann.pop', '.bob.pop']) await writeFile(join(folder, name), 'From x\n');
    await writeFile(join(folder, '.eve.pop'), '');
    const [, warning] = await report('{user}');
    assert.match(
      warning ?? '',
      /^warning: a classic popper left mail in FOLDER\/\.(?:ann|bob)\.pop and 1 more,/,
    );
    assert.equal((await report('{user}', undefined, undefined, { takeOverTemporaryDrop: true })).length, 1);
  });

  it('and cannot look into homes', async () => {
    assert.deepEqual(await report('{home}/mbox'), ["fine: mail lies in users' homes: {home}/mbox"]);
  });

  it('and says which mboxes will be refused, twenty of them by name', async () => {
    const own = process.getuid?.() ?? 0;
    for (const name of ['ann', 'ann.lock', '.hidden']) await writeFile(join(folder, name), '');
    assert.deepEqual((await report('{user}', undefined, own)).slice(1), []);
    assert.deepEqual((await report('{user}', undefined, own + 1)).slice(1), [
      `warning: FOLDER/ann belongs to uid ${own}, and the option owner says ${own + 1}: it is refused`,
    ]);
    assert.deepEqual((await report('{user}', mayOnlyWriteFolder)).slice(1), [
      'warning: FOLDER/ann may not be read and written by this user',
    ]);
    await Promise.all(Array.from({ length: 30 }, (_, index) => writeFile(join(folder, `user${index}`), '')));
    const many = await report('{user}', undefined, own + 1);
    assert.equal(many.length, 22);
    assert.match(many.at(-1) ?? '', /11 more files like that/);
  });

  it('and says where no dotlocks can be made, and where nothing can be reached', async () => {
    assert.deepEqual((await report('{user}', mayEnter)).slice(1), [
      'warning: no dotlocks can be made in FOLDER/',
    ]);
    assert.deepEqual(await report('{user}', mayNothing), [
      'problem: the spool folder FOLDER/ may not be entered',
    ]);
  });
});

describe('a popper with an mbox spool', () => {
  const owner = process.getuid?.() ?? 0;
  const envelope = MboxUnderTest.envelopeOf(0);
  const newServer = (): TestServer => {
    const spool = join(folder, '{user}');
    return new TestServer([memoryHost(() => undefined), storeMbox({ spool, owner, reservedJournals: 0 })]);
  };

  it('serves a whole session, and deletes what was asked for', async () => {
    const dotted = letter(2, '.\n..x\n');
    await writeFile(join(folder, 'mrose'), `${envelope}${letter(1)}\n${envelope}${dotted}\n`, {
      mode: 0o600,
    });
    const server = newServer();
    const commands = ['STAT', 'RETR 2', 'DELE 1', 'LIST', 'QUIT'];
    const said = await server.converse(['USER mrose', 'PASS secret', ...commands]);
    assert.deepEqual(said.slice(3), [
      '+OK 2 132',
      '+OK 60 octets',
      'From: mrose@dbc.mtview.ca.us',
      'Subject: message 2',
      '',
      '..',
      '...x',
      '.',
      '+OK message 1 deleted',
      '+OK 1 message (60 octets)',
      '2 60',
      '.',
      '+OK bye',
    ]);
    assert.equal(await readFile(join(folder, 'mrose'), 'latin1'), `${envelope}${dotted}\n`);
    assert.equal(server.state.heldClaims, 0);
    await server.state.remove();
  });

  it('tells a client nothing about files when a mailbox is not to be trusted', async () => {
    await writeFile(join(folder, 'mrose'), envelope, { mode: 0o600 });
    await chmod(join(folder, 'mrose'), 0o606);
    const server = newServer();
    const said = await server.converse(['USER mrose', 'PASS secret', 'STAT']);
    assert.equal(said.at(-1), '-ERR [SYS/PERM] the maildrop cannot be opened');
    assert.match(JSON.stringify(server.log, errorText), /chmod o-w/);
    await server.state.remove();
  });
});

const errorText = (_: string, value: unknown): unknown =>
  value instanceof Error ? `${value.message} ${String(value.cause)}` : value;

describe('A9: two processes', () => {
  it('do not have one mailbox at once: the second is told IN-USE until the first is gone', async () => {
    await writeFile(join(folder, 'mrose'), `${MboxUnderTest.envelopeOf(0)}${letter(1)}\n`, { mode: 0o600 });
    const script = join(import.meta.dirname, 'testing', 'hold-session.ts');
    const holder = spawn(process.execPath, ['-C', 'popper-source', script, folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(holder, 'exit');
    await once(holder.stdout, 'data');
    await assert.rejects(openBeside(folder), { code: 'IN-USE' });
    holder.kill('SIGKILL');
    await exited;
    const maildrop = await openBeside(folder);
    assert.equal(maildrop.count, 1);
    await maildrop.close();
  });
});
