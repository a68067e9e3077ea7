import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { options } from '../options.ts';
import { makeTransport } from './make.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-smtp-faults-'));
after(() => rm(folder, { recursive: true }));

const faultOf = async (transport: object, isolation: 'none' | 'user') =>
  makeTransport(options.parse({ transport }), folder).fault(isolation);

const smtp = { kind: 'smtp', host: 'localhost' };
const byFile = { ...smtp, auth: { user: 'popper', passwordFile: 'password' } };

test("with isolation: 'user' nobody can send with a password that only root can read, and check says what can be done", async () => {
  await writeFile(join(folder, 'password'), 'hunter2\n', { mode: 0o600 });
  assert.equal(await faultOf(byFile, 'none'), undefined);
  const fault = await faultOf(byFile, 'user');
  assert.equal(fault?.kind, 'problem');
  assert.match(fault?.what ?? '', /users send as themselves .*, and not every one can read .*password/);
  assert.match(
    fault?.fix ?? '',
    /into the configuration.*sendmail, or smtp to a server on this machine that asks for no password/,
  );
  assert.doesNotMatch(fault?.fix ?? '', /chmod/);
});

test("with isolation: 'user' one that all can read sends, is no secret, and is not to be closed", async () => {
  await chmod(join(folder, 'password'), 0o644);
  const fault = await faultOf(byFile, 'user');
  assert.equal(fault?.kind, 'warning');
  assert.match(
    fault?.what ?? '',
    /users send as themselves .*, so everybody has to be able to read .*password, and what it holds is no secret/,
  );
  assert.doesNotMatch(fault?.fix ?? '', /chmod/);
  const closable = await faultOf(byFile, 'none');
  assert.deepEqual([closable?.kind, closable?.fix], ['problem', `chmod o= ${join(folder, 'password')}`]);
});

test("with isolation: 'user' the secrets of OAuth2 are no others", async () => {
  await writeFile(join(folder, 'refresh'), 'x\n', { mode: 0o640 });
  const accessUrl = 'https://example.org/token';
  const oauth2 = { clientId: 'id', clientSecret: 'secret', refreshTokenFile: 'refresh', accessUrl };
  const fault = await faultOf({ ...smtp, auth: { user: 'popper', oauth2 } }, 'user');
  assert.match(fault?.what ?? '', /not every one can read .*refresh/);
});

test("with isolation: 'user' every user has to read the authority's certificate, and to reach the socket", async (t) => {
  await writeFile(join(folder, 'ca.pem'), '', { mode: 0o640 });
  const closed = await faultOf({ ...smtp, ca: 'ca.pem' }, 'user');
  assert.match(closed?.what ?? '', /not every user can read .*ca\.pem/);
  assert.equal(closed?.fix, `chmod o+r ${join(folder, 'ca.pem')}`);
  await chmod(join(folder, 'ca.pem'), 0o644);
  assert.equal(await faultOf({ ...smtp, ca: 'ca.pem' }, 'user'), undefined);

  const server = createServer().listen(join(folder, 'lmtp'));
  await once(server, 'listening');
  t.after(() => server.close());
  await chmod(join(folder, 'lmtp'), 0o660);
  const lmtp = { kind: 'lmtp', path: 'lmtp' };
  assert.match((await faultOf(lmtp, 'user'))?.what ?? '', /not every user can connect to .*lmtp/);
  assert.equal(await faultOf(lmtp, 'none'), undefined);
  await chmod(join(folder, 'lmtp'), 0o666);
  assert.equal(await faultOf(lmtp, 'user'), undefined);
});
