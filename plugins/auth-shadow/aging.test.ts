import assert from 'node:assert/strict';
import { test } from 'node:test';

import { agingFault, dayOf, daysOverdue, type Aging } from './aging.ts';

const today = 20_000;
const forever: Aging = {
  lastChangeDay: undefined,
  maxAgeDays: undefined,
  inactiveDays: undefined,
  expiryDay: undefined,
};

const shutOut: readonly (readonly [what: string, aging: Partial<Aging>, says: RegExp])[] = [
  ['the account expires today', { expiryDay: today }, /^the account expired on 2024-10-04$/],
  ['the account expired on day 0, as chage -E 0 has it', { expiryDay: 0 }, /expired on 1970-01-01/],
  [
    'the account expired, though the password is fresh',
    { expiryDay: 1, lastChangeDay: today },
    /^the account/,
  ],
  ['the password must be changed first', { lastChangeDay: 0 }, /must be changed before/],
  [
    'the password is too old and its grace is over',
    { lastChangeDay: today - 105, maxAgeDays: 90, inactiveDays: 14 },
    /^the password expired on 2024-09-20, and 14 days of grace are over$/,
  ],
  [
    'the password is a day too old and has no grace',
    { lastChangeDay: today - 91, maxAgeDays: 90, inactiveDays: 0 },
    /^the password expired on 2024-10-04/,
  ],
];

for (const [what, aging, says] of shutOut) {
  test(`a user is shut out when ${what}`, () => {
    assert.match(agingFault({ ...forever, ...aging }, today) ?? 'let in', says);
  });
}

const letIn: readonly (readonly [what: string, aging: Partial<Aging>, overdueDays: number])[] = [
  ['nothing is said of time', {}, 0],
  ['the account expires tomorrow', { expiryDay: today + 1 }, 0],
  ['the password is as old as it may be', { lastChangeDay: today - 90, maxAgeDays: 90, inactiveDays: 0 }, 0],
  [
    'the password was changed in the future, by a wrong clock',
    { lastChangeDay: today + 9, maxAgeDays: 0 },
    0,
  ],
  ['nothing is known of the last change', { maxAgeDays: 1, inactiveDays: 1 }, 0],
  [
    'the password is too old and its grace lasts',
    { lastChangeDay: today - 104, maxAgeDays: 90, inactiveDays: 14 },
    14,
  ],
  ['the password is too old and there is no end to its grace', { lastChangeDay: 1, maxAgeDays: 90 }, 19_909],
  ['every number is as big as can be', { lastChangeDay: 1, maxAgeDays: 9_999_999_999, expiryDay: 9e9 }, 0],
];

for (const [what, aging, overdueDays] of letIn) {
  test(`a user is let in when ${what}`, () => {
    assert.equal(agingFault({ ...forever, ...aging }, today), undefined);
    assert.equal(daysOverdue({ ...forever, ...aging }, today), overdueDays);
  });
}

test('a day is one of UTC, as for chage', () => {
  assert.equal(dayOf(Date.parse('2024-10-03T23:59:59.999Z')), today - 1);
  assert.equal(dayOf(Date.parse('2024-10-04T00:00:00Z')), today);
});
