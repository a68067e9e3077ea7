import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mustsOf } from './musts.ts';
import type { Result } from './rounds.ts';

const cpu = { title: 'login, STAT, QUIT', unit: 'CPU ms a session', better: 'less', round: 1 } as const;
const speed = { ...cpu, unit: 'sessions/s', better: 'more' } as const;
const peers = ['slow', 'quick'];

test('CPU is compared with the best of the peers, whoever that is', () => {
  const rows = rowsOf([
    { ...cpu, contender: 'popper', value: 0.5 },
    { ...cpu, contender: 'slow', value: 10 },
    { ...cpu, contender: 'quick', value: 1 },
  ]);
  assert.deepEqual(rows, [
    '| login, STAT, QUIT | CPU ms a session | popper / quick | 0.50 | at most 0.61 | yes |',
  ]);
});

test('what is not reached is said, and sessions a second are those of as many processes as there are processors', () => {
  const rows = rowsOf([
    { ...speed, contender: 'popper', value: 2.1 },
    { ...speed, contender: 'popper, 2 fronts', value: 1.9 },
    { ...speed, contender: 'Dovecot, high-performance mode', value: 1 },
  ]);
  assert.deepEqual(rows, [
    '| login, STAT, QUIT | sessions/s | popper, 2 fronts / Dovecot, high-performance mode | 1.90 | at least 2.00 | no |',
  ]);
});

test('a second front is compared with the first', () => {
  const rows = rowsOf([
    { ...cpu, contender: 'popper', value: 1 },
    { ...cpu, contender: 'popper, 2 fronts', value: 1.3 },
  ]);
  assert.deepEqual(rows, [
    '| login, STAT, QUIT | CPU ms a session | popper, 2 fronts / popper | 1.30 | at most 1.25 | no |',
  ]);
});

const rowsOf = (results: readonly Result[]): string[] => mustsOf(results, peers).split('\n').slice(2);
