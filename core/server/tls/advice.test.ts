import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defaultSettings, type Settings } from '../../settings.ts';
import { memoryHost, memoryMaildrop } from '../../testing.ts';
import { running } from '../testing/daemon-under-test.ts';
import { loginAdvice } from './advice.ts';

const pem = { certificate: '/none', key: '/none', minVersion: 'TLSv1.2' } as const;
const everywhere = [{ port: 110 }, { host: '192.0.2.1', port: 110 }, { path: '/run/pop3' }];

const adviceOn = (settings: Partial<Settings>): string | undefined =>
  loginAdvice({ ...defaultSettings, listen: everywhere, stateDir: '/none', ...settings })?.what;

test('an operator without TLS whose ports are open to others hears that nobody can log in by them, and which', () => {
  assert.match(
    adviceOn({}) ?? '',
    /nobody can log in from elsewhere .* though \*:110, 192\.0\.2\.1:110 is open$/,
  );
});

test('one without TLS and with no exception for this machine hears that nobody can log in at all', () => {
  assert.match(adviceOn({ cleartextLogin: 'never' }) ?? '', /no password can log in$/);
});

test('one whose users can log in hears nothing', () => {
  assert.equal(adviceOn({ tls: pem }), undefined);
  assert.equal(adviceOn({ cleartextLogin: 'always' }), undefined);
  const here = [{ host: '127.0.0.1', port: 110 }, { host: '::1', port: 110 }, { path: '/run/pop3' }];
  assert.equal(adviceOn({ listen: here }), undefined);
});

test('a daemon that nobody can log in to starts all the same, and its log says so and what to do', async () => {
  const { daemon, log } = await running(memoryHost(memoryMaildrop([])), { cleartextLogin: 'never' });
  await daemon.stop();
  const advice = log.find(({ message }) => message.includes('no password can log in'));
  assert.equal(advice?.level, 'warn');
  assert.match(String(advice.fields['fix']), /^set tls: \{ certificate, key \}/);
});
