import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { onWire } from './mail.ts';
import { run } from './program.ts';

/** One message on its way to a maildrop. */
export interface Delivery {
  readonly id: string;
  /** As RETR must give it. */
  readonly octets: Buffer;
}

export interface DeliveryAgent {
  readonly name: string;
  /** Resolves when the agent has confirmed that the message is in the mbox. */
  deliver(message: Buffer): Promise<unknown>;
}

/** What a row of deliveries tells, and asks. */
export interface Recipient {
  /** Called before each delivery: from now on the message may be there. */
  offered(delivery: Delivery): void;
  /** Called after it: from now on it must be. */
  confirmed(id: string): void;
  /** Whether another one is wanted after so many. */
  wants(delivered: number): boolean;
}

/** Delivers one message after the other, and gives their number. */
export async function deliverAll(agent: DeliveryAgent, recipient: Recipient): Promise<number> {
  let number = 0;
  while (recipient.wants(number)) {
    number += 1;
    const id = `${agent.name}-${number}`;
    const message = Buffer.from(messageText(id, number));
    recipient.offered({ id, octets: onWire(message) });
    await agent.deliver(message);
    recipient.confirmed(id);
    await delay(pauseMs);
  }
  return number;
}

const pauseMs = 30;

/** The id of a message that was retrieved. */
export const idOf = (octets: Buffer): string | undefined =>
  /^Subject: (\S+)\r$/m.exec(octets.toString('latin1', 0, 500))?.[1];

/** procmail takes a dotlock, then a lock by fcntl, and appends. */
export async function procmail(folder: string, mbox: string): Promise<DeliveryAgent> {
  const rcFile = join(folder, 'procmailrc');
  // It would look at a lock every eight seconds otherwise.
  await writeFile(rcFile, `MAILDIR=${folder}\nLOCKSLEEP=1\nUMASK=077\nDEFAULT=${mbox}\n:0:\n${mbox}\n`);
  const args = ['-f', 'bob@example.org', rcFile];
  return { name: 'procmail', deliver: (input) => run('procmail', args, { home: folder, input }) };
}

/** A script as people write it: it takes a dotlock by `lockfile`, and no other lock. */
export function lockfileScript(folder: string, mbox: string): DeliveryAgent {
  const script = 'lockfile -1 -r 60 "$0.lock" && { cat >> "$0"; rm -f "$0.lock"; }';
  const envelope = Buffer.from('From carol@example.org Mon Nov  2 10:00:00 2026\n');
  return {
    name: 'lockfile',
    deliver: (message) =>
      run('sh', ['-c', script, mbox], {
        home: folder,
        input: Buffer.concat([envelope, message, Buffer.from('\n')]),
      }),
  };
}

/** Each has another length and other lines, some of them awkward. */
function messageText(id: string, number: number): string {
  const lines = Array.from(
    { length: (number * 37) % 300 },
    (_, index) => `${'.'.repeat(index % 5)}line ${index} of ${id}`,
  );
  return `From: bob@example.org\nTo: alice@example.org\nSubject: ${id}\n\n${lines.join('\n')}\n>From here on\nend\n`;
}
