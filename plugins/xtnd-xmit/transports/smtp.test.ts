// Long, because the server that these tests share has to stand beside them: a plugin's test kit imports no other package.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';

import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

import { options, type Options } from '../options.ts';
import type { Letter } from '../receive.ts';
import { NotSent } from '../refused.ts';
import { makeTransport } from './make.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-smtp-test-'));
const certificate = join(folder, 'certificate.pem');
const key = join(folder, 'key.pem');

before(async () => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  await promisify(execFile)('openssl', [...kind, ...subject, '-keyout', key, '-out', certificate]);
});
after(() => rm(folder, { recursive: true }));

interface Delivered {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | undefined;
  /** What was said of the message before it came. */
  readonly said: unknown;
}

/** A real server that remembers what it was given. */
async function serve(t: TestContext, changed: SMTPServerOptions = {}) {
  const delivered: Delivered[] = [];
  const server = new SMTPServer({
    key: await readFile(key),
    cert: await readFile(certificate),
    authOptional: changed.onAuth === undefined,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        delivered.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('latin1'),
          secure: session.secure,
          user: session.user === undefined ? undefined : String(session.user),
          said: mailFrom === false ? undefined : mailFrom.args,
        });
        callback(null);
      });
    },
    ...changed,
  });
  server.on('error', () => {});
  const listener: Server = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => server.close(() => {}));
  return { delivered, port: portOf(listener) };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return address.port;
}

const text = 'To: bob@example.org\r\n\r\n.\r\n..two\r\n\xe4\r\n';

async function letterTo(t: TestContext, to: readonly string[] = ['bob@example.org']): Promise<Letter> {
  const path = join(folder, `message-${performance.now()}`);
  const file = await open(path, 'w+');
  t.after(() => file.close());
  await file.write(Buffer.from(text, 'latin1'), 0, undefined, 0);
  return { envelope: { from: 'alice@example.org', to }, file, octets: text.length, isSevenBit: false };
}

const transportOf = (transport: unknown, timeoutMs = 20_000) => {
  const parsed: Options = options.parse({ transport, timeoutMs });
  return makeTransport(parsed, folder);
};

const plainTo = (port: number) => transportOf({ kind: 'smtp', host: '127.0.0.1', port, tls: 'none' });

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

/** Logs in one user with one password, as most servers do. */
const onAuth: SMTPServerOptions['onAuth'] = (given, _, callback) => {
  if (given.username === 'popper' && given.password === 'hunter2') return callback(null, { user: 'popper' });
  callback(new Error(`no such login: ${given.username} ${given.password}`));
};

test('a message goes through STARTTLS and a login, octet for octet', async (t) => {
  const { delivered, port } = await serve(t, { onAuth, size: 1_000_000 });
  await writeFile(join(folder, 'password'), 'hunter2\n', { mode: 0o600 });
  const auth = { user: 'popper', passwordFile: 'password' };
  const transport = transportOf({ kind: 'smtp', host: 'localhost', port, ca: 'certificate.pem', auth });
  await transport.send(await letterTo(t, ['bob@example.org', 'carol@example.net']), soon());
  const said = { SIZE: String(text.length), BODY: '8BITMIME' };
  const to = ['bob@example.org', 'carol@example.net'];
  assert.deepEqual(delivered, [{ from: 'alice@example.org', to, text, secure: true, user: 'popper', said }]);
  assert.equal(await transport.fault(), undefined);
});

test('a message goes through TLS from the first octet', async (t) => {
  const { delivered, port } = await serve(t, { secure: true });
  const transport = transportOf({ kind: 'smtp', host: 'localhost', port, tls: 'implicit', ca: certificate });
  await transport.send(await letterTo(t), soon());
  assert.deepEqual(
    delivered.map(({ text: sent, secure }) => [sent, secure]),
    [[text, true]],
  );
});

test('nothing is said to a server that has no STARTTLS, or shows a certificate of its own making', async (t) => {
  let logins = 0;
  const count: SMTPServerOptions['onAuth'] = (_, _session, callback) => {
    logins += 1;
    callback(null, { user: 'popper' });
  };
  const auth = { user: 'popper', password: 'hunter2' };
  const bare = await serve(t, {
    onAuth: count,
    hideSTARTTLS: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
  });
  await assert.rejects(
    transportOf({ kind: 'smtp', host: 'localhost', port: bare.port, auth }).send(await letterTo(t), soon()),
  );
  const own = await serve(t, { onAuth: count });
  await assert.rejects(
    transportOf({ kind: 'smtp', host: 'localhost', port: own.port, auth }).send(await letterTo(t), soon()),
    /self-signed certificate; set transport\.ca/,
  );
  assert.deepEqual([...bare.delivered, ...own.delivered, logins], [0]);
});

test('a password that the server refuses, and says back, is in no error', async (t) => {
  const { delivered, port } = await serve(t, { onAuth });
  const auth = { user: 'popper', password: 'wrong-secret' };
  const transport = transportOf({ kind: 'smtp', host: 'localhost', port, ca: certificate, auth });
  await assert.rejects(transport.send(await letterTo(t), soon()), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /the server refused the login \(EAUTH, answer 535\)/);
    assert.doesNotMatch(JSON.stringify([error, error.message, error.stack, error.cause]), /wrong-secret/);
    return true;
  });
  assert.deepEqual(delivered, []);
});

test('an access token is fetched by OAuth2, once for as long as it holds', async (t) => {
  const tokens: string[] = [];
  const { delivered, port } = await serve(t, {
    authMethods: ['XOAUTH2'],
    onAuth(given, _, callback) {
      tokens.push(given.accessToken ?? '');
      if (given.accessToken === 'access-1') return callback(null, { user: given.username ?? '' });
      callback(null, { data: { status: '401', schemes: 'bearer', scope: 'mail' } });
    },
  });
  const asked: string[] = [];
  const endpoint = createHttpServer((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => asked.push(body));
    request.on('end', () => response.end(JSON.stringify({ access_token: 'access-1', expires_in: 3600 })));
  }).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  t.after(() => endpoint.close());
  await writeFile(join(folder, 'refresh'), 'refresh-1\n', { mode: 0o600 });
  const accessUrl = `http://127.0.0.1:${portOf(endpoint)}/token`;
  const oauth2 = { clientId: 'id', clientSecret: 'client-secret', refreshTokenFile: 'refresh', accessUrl };
  const auth = { user: 'popper@example.org', oauth2 };
  const transport = transportOf({ kind: 'smtp', host: 'localhost', port, ca: certificate, auth });
  await transport.send(await letterTo(t), soon());
  await transport.send(await letterTo(t), soon());
  assert.deepEqual(
    delivered.map(({ user }) => user),
    ['popper@example.org', 'popper@example.org'],
  );
  assert.deepEqual(tokens, ['access-1', 'access-1']);
  assert.equal(asked.length, 1);
  assert.equal(new URLSearchParams(asked[0]).get('refresh_token'), 'refresh-1');
});

test('a recipient whom the server refuses is named, and the others have the message', async (t) => {
  const { delivered, port } = await serve(t, {
    onRcptTo: ({ address }, _, callback) =>
      callback(address === 'carol@example.net' ? new Error('no such user') : null),
  });
  const transport = transportOf({ kind: 'smtp', host: '127.0.0.1', port, tls: 'none' });
  await assert.rejects(
    transport.send(await letterTo(t, ['bob@example.org', 'carol@example.net']), soon()),
    (error) => {
      assert.ok(error instanceof NotSent);
      assert.equal(error.message, 'Sent, but not to carol@example.net');
      return true;
    },
  );
  assert.deepEqual(
    delivered.map(({ to }) => to),
    [['bob@example.org']],
  );
  await assert.rejects(
    transport.send(await letterTo(t, ['carol@example.net']), soon()),
    /all recipients were rejected/,
  );
});

test('X1: a server that is not there, hangs or breaks off has not got the message', async (t) => {
  const hangs = createServer(() => {}).listen(0, '127.0.0.1');
  await once(hangs, 'listening');
  const breaksOff = createServer((socket) => socket.end('220 hello\r\n')).listen(0, '127.0.0.1');
  await once(breaksOff, 'listening');
  t.after(() => [hangs, breaksOff].map((server) => server.close()));
  await assert.rejects(plainTo(portOf(hangs)).send(await letterTo(t), AbortSignal.timeout(200)), /abort/i);
  await assert.rejects(plainTo(portOf(breaksOff)).send(await letterTo(t), soon()), /close/i);
  const gone = createServer(() => {}).listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const port = portOf(gone);
  gone.close();
  await assert.rejects(plainTo(port).send(await letterTo(t), soon()), /ECONNREFUSED/);
});

test('X1: a server that stops reading in the middle of a long message is given up', async (t) => {
  const { port } = await serve(t, { onData: (stream) => void stream.pause() });
  const letter = await letterTo(t);
  const octets = 20_000_000;
  await letter.file.write(Buffer.alloc(octets, 'x'), 0, octets, letter.octets);
  await assert.rejects(plainTo(port).send({ ...letter, octets }, AbortSignal.timeout(500)), /abort/i);
  // As whoever asked for it does, at once.
  await letter.file.close();
});

test('a message goes by LMTP, over a port or a unix socket', async (t) => {
  const overPort = await serve(t, { lmtp: true });
  await transportOf({ kind: 'lmtp', host: '127.0.0.1', port: overPort.port }).send(await letterTo(t), soon());
  assert.deepEqual(
    overPort.delivered.map(({ text: sent }) => sent),
    [text],
  );

  const path = join(folder, 'lmtp');
  const delivered: string[] = [];
  const server = new SMTPServer({
    key: await readFile(key),
    cert: await readFile(certificate),
    lmtp: true,
    authOptional: true,
    onData(stream, { envelope }, callback) {
      stream
        .on('data', () => {})
        .on('end', () => {
          delivered.push(...envelope.rcptTo.map(({ address }) => address));
          callback(
            null,
            envelope.rcptTo.map(({ address }) =>
              address === 'eve@example.org' ? new Error('full') : 'fine',
            ),
          );
        });
    },
  });
  await once(server.listen(path), 'listening');
  t.after(() => server.close(() => {}));
  const transport = transportOf({ kind: 'lmtp', path: 'lmtp' });
  const letter = await letterTo(t, ['bob@example.org', 'eve@example.org']);
  await assert.rejects(transport.send(letter, soon()), /Sent, but not to eve@example\.org/);
  assert.deepEqual(delivered, ['bob@example.org', 'eve@example.org']);
  await assert.rejects(
    transportOf({ kind: 'lmtp', path: 'nobody' }).send(await letterTo(t), soon()),
    /ENOENT/,
  );
});

test('an operator is told of a secret that cannot be read, or that everybody can read', async () => {
  const auth = { user: 'popper', passwordFile: 'missing' };
  const missing = await transportOf({ kind: 'smtp', host: 'x', auth }).fault();
  assert.match(missing?.what ?? '', /missing cannot be read: ENOENT/);
  await writeFile(join(folder, 'open'), 'hunter2\n');
  await chmod(join(folder, 'open'), 0o644);
  const open644 = await transportOf({
    kind: 'smtp',
    host: 'x',
    auth: { user: 'popper', passwordFile: 'open' },
  }).fault();
  assert.match(open644?.what ?? '', /everybody may read .*open, which holds a secret/);
  assert.match(open644?.fix ?? '', /^chmod o= /);
});

test('an operator is told of a socket that is not there', async () => {
  for (const path of ['nobody', '/dev/null'])
    assert.match(
      (await transportOf({ kind: 'lmtp', path }).fault())?.what ?? '',
      /(nobody|null) is no socket: no message can be sent/,
    );
  assert.equal(await transportOf({ kind: 'lmtp', host: 'localhost', port: 24 }).fault(), undefined);
});
