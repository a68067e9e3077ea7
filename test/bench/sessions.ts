// What a client does in one session, of each kind. Each gives the octets of the messages it got, and throws at the first
// wrong reply.

import { Client, type Request } from './client.ts';
import type { Mailbox } from './mailbox.ts';

export type Session = (port: number, mailbox: Mailbox) => Promise<number>;

export const passwordOf = (user: string): string => `secret-of-${user}`;

/** STAT and no more: a client that looks for new mail. */
export const look: Session = (port, mailbox) => inSession(port, mailbox, async () => 0);

export const fetchAll: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    for (const request of retrievals(mailbox)) await client.exchange([request]);
    return mailbox.totalOctets;
  });

/** RETR in volleys of 16, each sent in one write. */
export const fetchPipelined: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    const requests = retrievals(mailbox);
    for (let from = 0; from < requests.length; from += 16)
      await client.exchange(requests.slice(from, from + 16));
    return mailbox.totalOctets;
  });

export const listUids: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    mailbox.learnUids(await client.listing('UIDL'));
    return 0;
  });

/** The headers of all messages. */
export const lookAtTops: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    for (const [index, { topWire }] of mailbox.messages.entries()) {
      await client.exchange([{ line: `TOP ${index + 1} 0`, kind: 'message', wire: topWire() }]);
    }
    return 0;
  });

/** UIDL, then what is new; leaves all of it, or with `keep` deletes the oldest until so many are left. */
export const fetchNew =
  (keep?: number): Session =>
  (port, mailbox) => {
    const { length } = mailbox.messages;
    const surplus = Math.max(0, length - (keep ?? length));
    return inSession(
      port,
      mailbox,
      async (client) => {
        const known = mailbox.learnUids(await client.listing('UIDL'));
        for (const request of retrievals(mailbox).slice(known)) await client.exchange([request]);
        for (let number = 1; number <= surplus; number += 1) await client.command(`DELE ${number}`);
        return mailbox.messages.slice(known).reduce((sum, { octets }) => sum + octets, 0);
      },
      surplus,
    );
  };

/** Fetches and deletes, as a client that keeps its mail at home. */
export const drain: Session = (port, mailbox) =>
  inSession(
    port,
    mailbox,
    async (client) => {
      const { totalOctets } = mailbox;
      for (const [index, request] of retrievals(mailbox).entries()) {
        await client.exchange([request]);
        await client.command(`DELE ${index + 1}`);
      }
      return totalOctets;
    },
    mailbox.messages.length,
  );

/** Logs in and stays, silent. */
export async function stay(port: number, mailbox: Mailbox): Promise<Client> {
  const client = await Client.connect(port);
  await client.logIn(mailbox.user, passwordOf(mailbox.user));
  await checkStat(client, mailbox);
  return client;
}

async function inSession(
  port: number,
  mailbox: Mailbox,
  talk: (client: Client) => Promise<number>,
  deleted = 0,
): Promise<number> {
  const client = await stay(port, mailbox);
  try {
    const octets = await talk(client);
    await client.quit();
    mailbox.forget(deleted);
    return octets;
  } finally {
    client.destroy();
  }
}

async function checkStat(client: Client, { messages, totalOctets }: Mailbox): Promise<void> {
  const right = `+OK ${messages.length} ${totalOctets}`;
  const status = await client.command('STAT');
  if (status !== right) throw new Error(`STAT: ${status}, but the mailbox has ${right}`);
}

const retrievals = (mailbox: Mailbox): Request[] =>
  mailbox.messages.map(({ wire }, index) => ({ line: `RETR ${index + 1}`, kind: 'message', wire: wire() }));
