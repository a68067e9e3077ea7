import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeMessage } from './mail.ts';
import { Mailbox } from './mailbox.ts';
import { placeOf } from './places.ts';

const nowhere = placeOf('mbox', '/nowhere', 'a', { uid: 0, gid: 0 });
const two = [makeMessage('a', 100), makeMessage('b', 100)];

test('a message that changes its unique-id from one session to the next is found out', () => {
  const mailbox = new Mailbox('a', nowhere, two);
  mailbox.learnUids(listing('1 first', '2 second'));
  assert.throws(
    () => mailbox.learnUids(listing('1 first', '2 other')),
    /message 2 had the id second and has other/,
  );
});

test('a listing with a message too few, a wrong number or an id twice is found out', () => {
  const mailbox = new Mailbox('a', nowhere, two);
  assert.throws(() => mailbox.learnUids(listing('1 first')), /other messages/);
  assert.throws(() => mailbox.learnUids(listing('1 first', '3 second')), /other messages/);
  assert.throws(() => mailbox.learnUids(listing('1 first', '2 first')), /one id/);
});

test('the messages after a deleted one keep their unique-ids under new numbers', () => {
  const mailbox = new Mailbox('a', nowhere, two);
  assert.equal(mailbox.learnUids(listing('1 first', '2 second')), 0);
  mailbox.forget(1);
  assert.equal(mailbox.learnUids(listing('1 second')), 1);
});

test('a listing that came before is known again, unless the mailbox has changed since', () => {
  const mailbox = new Mailbox('a', nowhere, two);
  mailbox.learnUids(listing('1 first', '2 second'));
  assert.equal(mailbox.learnUids(listing('1 first', '2 second')), 2);
  mailbox.forget(1);
  assert.throws(() => mailbox.learnUids(listing('1 first', '2 second')), /other messages/);
});

const listing = (...lines: string[]): Buffer => Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
