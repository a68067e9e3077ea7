import assert from 'node:assert/strict';
import { test } from 'node:test';

import { configSchema } from './schema.ts';

const issuesOf = (entry: object): readonly string[] =>
  (configSchema.safeParse({ listen: [entry], stateDir: 'state', plugins: [] }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

test('a socket that popper inherits is named by an entry, which may say what is spoken there and by whom', () => {
  for (const more of [{}, { tls: true }, { proxy: { from: ['unix'] } }])
    assert.deepEqual(issuesOf({ inherited: 'pop3', ...more }), []);
});

test('an entry that says where to open an inherited socket is refused, and told what does not belong there', () => {
  for (const [key, value] of Object.entries({ host: '::1', port: 110, path: '/run/socket', mode: '0600' })) {
    const issues = issuesOf({ inherited: 'pop3', [key]: value });
    assert.deepEqual(issues, [
      `listen.0.${key}: belongs to what popper opens itself, not to an inherited socket`,
    ]);
  }
});

test('a name that no socket can have is refused', () => {
  for (const name of ['', 3, null])
    assert.match(issuesOf({ inherited: name })[0] ?? '', /^listen\.0\.inherited: /);
});
