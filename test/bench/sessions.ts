// What a client does in one session, of each kind. Each gives the octets of the messages it got, and throws at the first
// wrong reply.

import { ask, Client } from './client.ts';
import type { Mailbox } from './mailbox.ts';
import type { Request } from './replies.ts';

export type Session = (port: number, mailbox: Mailbox) => Promise<number>;

export const passwordOf = (user: string): string => `secret-of-${user}`;

/** STAT and no more: a client that looks for new mail. */
export const look: Session = (port, mailbox) => inSession(port, mailbox, async () => 0);

export const fetchAll: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    await client.exchange(retrievals(mailbox));
    return mailbox.totalOctets;
  });

/** RETR in volleys of 16, each sent in one write. */
export const fetchPipelined: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    await client.exchange(retrievals(mailbox), 16);
    return mailbox.totalOctets;
  });

export const listUids: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    await learnUids(client, mailbox);
    return 0;
  });

/** The headers of all messages. */
export const lookAtTops: Session = (port, mailbox) =>
  inSession(port, mailbox, async (client) => {
    await client.exchange(
      mailbox.messages.map(({ topWire }, index) => ({ ...top(index + 1), body: topWire() })),
    );
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
        const known = await learnUids(client, mailbox);
        const deletions = Array.from({ length: surplus }, (_, index) => dele(index + 1));
        await client.exchange([...retrievals(mailbox).slice(known), ...deletions]);
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
      await client.exchange(retrievals(mailbox).flatMap((retrieval, index) => [retrieval, dele(index + 1)]));
      return totalOctets;
    },
    mailbox.messages.length,
  );

/** Logs in and out, and tells the milliseconds from PASS to its +OK. */
export const timedLogin =
  (tell: (ms: number) => void): Session =>
  async (port, { user }) => {
    const client = await Client.connect(port);
    try {
      await client.exchange([ask(`USER ${user}`)]);
      const startedAtMs = performance.now();
      await client.exchange([ask(`PASS ${passwordOf(user)}`)]);
      tell(performance.now() - startedAtMs);
      await client.quit();
      return 0;
    } finally {
      client.destroy();
    }
  };

/** Logs in and stays, silent. */
export async function stay(port: number, mailbox: Mailbox): Promise<Client> {
  const client = await Client.connect(port);
  const { user, messages, totalOctets } = mailbox;
  await client.exchange([
    ask(`USER ${user}`),
    ask(`PASS ${passwordOf(user)}`),
    ask('STAT', `+OK ${messages.length} ${totalOctets}`),
  ]);
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

/** Of how many messages the unique-ids were known before. */
async function learnUids(client: Client, mailbox: Mailbox): Promise<number> {
  let known = 0;
  const body = (octets: Buffer): void => {
    known = mailbox.learnUids(octets);
  };
  await client.exchange([{ ...uidl, body }]);
  return known;
}

/** Commands that differ in a number are written once. */
function numbered(write: (number: number) => string): (number: number) => Request {
  const written: Request[] = [];
  return (number) => (written[number] ??= ask(write(number)));
}

const uidl = ask('UIDL');
const retr = numbered((number) => `RETR ${number}`);
const top = numbered((number) => `TOP ${number} 0`);
const dele = numbered((number) => `DELE ${number}`);

const retrievals = (mailbox: Mailbox): Request[] =>
  mailbox.messages.map(({ wire }, index) => ({ ...retr(index + 1), body: wire() }));
