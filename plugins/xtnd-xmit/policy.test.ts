import assert from 'node:assert/strict';
import { test } from 'node:test';

import { definePlugin, err } from 'popperd';

import { go, header, message, office, sent } from './testing/office.ts';

// #region policy
/** Only who is listed may send; the others hear so before their client has sent anything. */
const onlyStaff = (staff: ReadonlySet<string>) =>
  definePlugin({
    name: 'only-staff',
    apply(popper) {
      popper.hooks.command.for('XTND XMIT').tapPromise('only-staff', async (session) => {
        if (session.state !== 'TRANSACTION' || staff.has(session.identity.user)) return undefined;
        return err('you may not send mail from here', 'SYS/PERM');
      });
    },
  })();
// #endregion

test('X2: a user who may not send is told so before the client sends the text', async (t) => {
  const { talk, letters } = await office(t, {}, { plugins: [onlyStaff(new Set(['boss']))] });
  assert.deepEqual(await talk(['XTND XMIT', 'STAT']), [
    '-ERR [SYS/PERM] you may not send mail from here',
    '+OK 1 3',
  ]);
  const boss = await office(t, {}, { plugins: [onlyStaff(new Set(['mrose']))] });
  assert.deepEqual(await boss.talk(message), [go, sent]);
  assert.deepEqual(await letters(), []);
});

test('X2: a forged From is marked, or refused where the operator wants that', async (t) => {
  const forged = ['XTND XMIT', 'From: bank@example.net', ...header.slice(1), '', 'pay', '.'];
  const marks = await office(t);
  assert.deepEqual(await marks.talk(forged), [go, sent]);
  const [letter = ''] = await marks.letters();
  assert.match(letter, /^X-Envelope-From: mrose@example\.org\r\n/);
  assert.match(letter, /^Sender: mrose@example\.org\r\n/m);
  const refuses = await office(t, { forgedFrom: 'refuse' });
  assert.deepEqual(await refuses.talk([...forged, 'NOOP']), [
    go,
    '-ERR From is to be mrose@example.org; nothing was sent',
    '+OK',
  ]);
  assert.deepEqual(await refuses.letters(), []);
});

test('a user who sends more an hour than he may is told when to come back, before the text', async (t) => {
  const { server, talk, letters } = await office(t, { maxMessagesPerHour: 2 });
  assert.deepEqual(await talk([...message, ...message, 'XTND XMIT', 'NOOP']), [
    go,
    sent,
    go,
    sent,
    '-ERR [SYS/TEMP] 2 messages an hour may be sent: come back in 60 min',
    '+OK',
  ]);
  assert.equal((await letters()).length, 2);
  const other = await office(t, { maxMessagesPerHour: 2 }, { state: server.state });
  assert.match((await other.talk(['XTND XMIT']))[0] ?? '', /^-ERR \[SYS\/TEMP\] 2 messages an hour/);
});

test('too many recipients are refused', async (t) => {
  const { talk, letters } = await office(t, { maxRecipients: 2 });
  const many = ['XTND XMIT', 'To: a, b', 'Bcc: c', '', 'x', '.'];
  assert.deepEqual(await talk([...many, 'NOOP']), [
    go,
    '-ERR too many recipients: 3, where 2 may be; nothing was sent',
    '+OK',
  ]);
  assert.deepEqual(await letters(), []);
});
