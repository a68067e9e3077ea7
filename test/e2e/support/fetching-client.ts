import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';

import { makeInbox, type Inbox } from './inbox.ts';
import { mboxOf, plainMail, putMail, type StoredMessage } from './mail.ts';
import type { TcpAddress } from './pop3-client.ts';
import { needs } from './program.ts';
import { logIn, makeSite, readMbox } from './site.ts';

/** What a run of a client needs to know. */
export interface Errand {
  /** Its own folder, the same for every run on one site. */
  readonly home: string;
  readonly where: TcpAddress;
  readonly inbox: Inbox;
  /** Whether it is to leave what it fetched on the server. */
  readonly keep: boolean;
}

/** A program that fetches mail for delivery. */
export interface FetchingClient {
  /** Of the program and of its Debian package. */
  readonly name: string;
  readonly packageName: string;
  fetch(errand: Errand): Promise<void>;
  /** What the program makes of a message with LF line ends, by its documentation. */
  delivers(octets: Buffer): Buffer;
}

/** Registers the tests that hold for every such program. */
export function testFetchingClient(client: FetchingClient): void {
  const { name } = client;
  const options = needs(client.packageName);

  test(`${name} fetches every message once and deletes it for good`, options, async (t) => {
    const { site, errand } = await arrive(t, false);
    const daemon = await site.start();
    await client.fetch({ ...errand, where: daemon.where });
    assertFetched(client, await errand.inbox.fetched(), plainMail);
    await daemon.kill();
    const session = await logIn((await site.start()).where);
    assert.equal(await session.ask('STAT'), '+OK 0 0');
    assert.equal((await readMbox(site)).length, 0);
  });

  test(`${name} leaves mail on the server and fetches only what is new to it`, options, async (t) => {
    const { site, errand } = await arrive(t, true);
    const daemon = await site.start();
    await client.fetch({ ...errand, where: daemon.where });
    await client.fetch({ ...errand, where: daemon.where });
    assertFetched(client, await errand.inbox.fetched(), plainMail);

    await appendFile(site.mboxOf('alice'), mboxOf(newMail));
    // A restart must not make old mail new. The port stays: to getmail another port is another server.
    await daemon.stop();
    await client.fetch({ ...errand, where: (await site.start(daemon.where.port)).where });
    const all = [...plainMail, ...newMail];
    assertFetched(client, await errand.inbox.fetched(), all);
    assert.ok((await readMbox(site)).equals(mboxOf(all)), 'the mbox is as the deliveries left it');
  });
}

const newMail: readonly StoredMessage[] = ['one', 'two'].map((subject) => ({
  name: subject,
  octets: Buffer.from(`From: carol@example.org\nTo: alice@example.org\nSubject: ${subject}\n\nnew\n`),
}));

async function arrive(t: TestContext, keep: boolean) {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), plainMail);
  return { site, errand: { home: site.folder, inbox: await makeInbox(site.folder), keep } };
}

function assertFetched(
  client: FetchingClient,
  fetched: readonly Buffer[],
  stored: readonly StoredMessage[],
): void {
  const timesOf = ({ octets }: StoredMessage): number => {
    const expected = client.delivers(octets);
    return fetched.filter((message) => message.equals(expected)).length;
  };
  assert.deepEqual(
    stored.map((message) => [message.name, timesOf(message)]),
    stored.map(({ name }) => [name, 1]),
    'how often each message came, octet for octet',
  );
  assert.equal(fetched.length, stored.length, 'nothing else came');
}
