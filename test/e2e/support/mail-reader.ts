import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

import type { Daemon } from './daemon.ts';
import { idOf } from './deliveries.ts';
import type { Ledger, Seen } from './ledger.ts';
import { ConnectionLost, Pop3Client } from './pop3-client.ts';
import { password } from './site.ts';

/** How a session ends: it is told what became of its deletions, or it is not. */
export type Ending = 'quit' | 'quit unheard' | 'killed in QUIT' | 'cut' | 'cut in RETR';

/** A daemon that may be killed and started again. */
export interface Mortal {
  /** The one that lives; waits for it where it is just being started. */
  daemon(): Promise<Pick<Daemon, 'where'>>;
  /** Kills it and starts another. */
  replace(): Promise<void>;
  /** alice's, where it is not that of other tests. */
  readonly password?: string;
}

/**
 * One session: fetches everything, marks two thirds of it, and ends as it is told to. Whatever it learns goes into the
 * ledger, which objects to what must not be. Gives false where it did not get in, or the daemon died under it.
 */
export async function readMail(mortal: Mortal, ledger: Ledger, ending: Ending): Promise<boolean> {
  const daemon = await mortal.daemon();
  const { expected } = ledger;
  try {
    const client = await Pop3Client.connect(daemon.where);
    if (!(await getIn(client, mortal.password ?? password))) return false;
    const found = await fetchAll(client);
    ledger.look(found, expected);
    const marked = found.filter((_, index) => index % 3 !== 1);
    for (const { number } of marked) await client.ask(`DELE ${number}`);
    await endings[ending]({ client, mortal, ledger, marked: marked.map(({ id }) => id) });
    client.destroy();
    return true;
  } catch (error) {
    if (error instanceof ConnectionLost && daemon !== (await mortal.daemon())) return false;
    throw error;
  }
}

interface Parting {
  readonly client: Pop3Client;
  readonly mortal: Mortal;
  readonly ledger: Ledger;
  readonly marked: readonly string[];
}

const endings: { readonly [Name in Ending]: (parting: Parting) => Promise<void> } = {
  async quit({ client, ledger, marked }) {
    ledger.quitting(marked);
    await client.ask('QUIT');
    ledger.deleted(marked);
  },
  async 'quit unheard'({ client, ledger, marked }) {
    ledger.quitting(marked);
    client.send('QUIT\r\n');
  },
  async 'killed in QUIT'({ client, mortal, ledger, marked }) {
    ledger.quitting(marked);
    client.send('QUIT\r\n');
    // A commit takes some milliseconds; each time it is met at another step.
    await delay(Math.random() * 12);
    await mortal.replace();
  },
  async cut({ client }) {
    client.socket.resetAndDestroy();
  },
  async 'cut in RETR'({ client, marked }) {
    client.send('RSET\r\nRETR 1\r\n'.repeat(20));
    await client.piece();
    client.send(marked.map((_, index) => `DELE ${index + 1}\r\n`).join(''));
  },
};

async function getIn(client: Pop3Client, secret: string): Promise<boolean> {
  await client.line();
  await client.ask('USER alice');
  const answer = await client.say(`PASS ${secret}`);
  if (answer.startsWith('+OK')) return true;
  client.destroy();
  assert.match(answer, /^-ERR \[IN-USE\]/);
  return false;
}

async function fetchAll(client: Pop3Client): Promise<readonly (Seen & { readonly number: number })[]> {
  const found = [];
  for (const line of await client.askLines('UIDL')) {
    const [number, uid = ''] = line.split(' ');
    const octets = await client.askOctets(`RETR ${number}`);
    found.push({
      number: Number(number),
      uid,
      octets,
      id: idOf(octets) ?? `no id in ${octets.toString('latin1')}`,
    });
  }
  return found;
}
