import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { options } from './options.ts';
import { faultOfDomain } from './own-domain.ts';

/** What is wrong with these options: the path and the text of the first problem. */
function problem(transport: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  const { error } = options.safeParse({ transport, ...more });
  const [issue] = error?.issues ?? [];
  return issue === undefined ? 'none' : `${issue.path.join('.')}: ${issue.message}`;
}

const login = { user: 'popper', password: 'hunter2' };
const oauth2 = {
  clientId: 'id',
  clientSecret: 'a',
  refreshToken: 'b',
  accessUrl: 'https://example.org/token',
};

test('whoever writes a transport wrongly is told what was expected', () => {
  const problems: readonly (readonly [transport: unknown, text: RegExp])[] = [
    [undefined, /^transport: expected a transport with kind: sendmail, smtp, lmtp or directory/],
    [{ kind: 'smpt' }, /^transport.*: expected a transport with kind/],
    [{ kind: 'directory' }, /^transport.folder: expected a path/],
    [{ kind: 'smtp', host: 'a b' }, /^transport.host: expected a host name or an address/],
    [{ kind: 'smtp', host: 'x', auth: { user: 'a' } }, /expected one of password, passwordFile and oauth2/],
    [
      { kind: 'smtp', host: 'x', auth: { ...login, passwordFile: 'f' } },
      /expected one of password, passwordFile/,
    ],
    [
      { kind: 'smtp', host: 'x', tls: 'none', auth: login },
      /^transport.tls: expected "starttls" or "implicit"/,
    ],
    [
      {
        kind: 'smtp',
        host: 'x',
        auth: { user: 'a', oauth2: { ...oauth2, accessUrl: 'http://example.org/' } },
      },
      /accessUrl: expected the https address of the token endpoint/,
    ],
    [
      { kind: 'smtp', host: 'x', auth: { user: 'a', oauth2: { ...oauth2, accessUrl: 'token' } } },
      /accessUrl: expected the https address of the token endpoint/,
    ],
    [
      { kind: 'smtp', host: 'x', auth: { user: 'a', oauth2: { ...oauth2, refreshTokenFile: 'f' } } },
      /expected one of refreshToken and refreshTokenFile/,
    ],
    [{ kind: 'lmtp' }, /expected either the path of a socket or a host and a port/],
    [{ kind: 'lmtp', host: 'x' }, /expected either the path of a socket or a host and a port/],
    [{ kind: 'lmtp', path: '/run/lmtp', port: 24 }, /expected either the path of a socket/],
  ];
  for (const [transport, text] of problems) assert.match(problem(transport), text);
});

test('a password may go without TLS to this machine, and nowhere else', () => {
  for (const host of ['localhost', '127.0.0.1', '::1'])
    assert.equal(problem({ kind: 'smtp', host, tls: 'none', auth: login }), 'none');
  assert.match(
    problem({ kind: 'smtp', host: '127.example.org', tls: 'none', auth: login }),
    /expected "starttls"/,
  );
});

test('domain and sender are looked at before they stand in a header', () => {
  const transport = { kind: 'sendmail' };
  assert.match(
    problem(transport, { domain: 'example.org\nBcc: x' }),
    /^domain: expected a domain: example\.org/,
  );
  assert.match(problem(transport, { sender: '-t@example.org' }), /^sender: expected an address/);
  assert.match(problem(transport, { sender: 'postmaster' }), /^sender: expected an address/);
  assert.equal(problem(transport, { domain: 'localhost', sender: 'a@b' }), 'none');
});

test('secrets do not show in what shows options', () => {
  const auth = { user: 'popper', oauth2 };
  const shown = [login, auth]
    .map((each) => options.parse({ transport: { kind: 'smtp', host: 'x', auth: each } }))
    .map((given) => inspect(given, { depth: 9 }) + JSON.stringify(given));
  assert.match(shown.join(''), /\[secret\]/);
  assert.doesNotMatch(shown.join(''), /hunter2|clientSecret: 'a'|"refreshToken":"b"/);
});

test("a machine's name that mail cannot come from is told of before users are refused", () => {
  for (const name of ['my_host', 'mail.', '-x', '']) {
    const { what, fix } = faultOfDomain(name) ?? {};
    assert.match(what ?? '', /^"[^"]*" cannot stand behind the @ of an address/);
    assert.match(fix ?? '', /domain: example\.org/);
  }
  for (const name of ['mail', 'mail.example.org']) assert.equal(faultOfDomain(name), undefined);
});
