import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bodyOctetsOf, makeMessage, type Message } from './mail.ts';
import { Mailbox, type Owner } from './mailbox.ts';
import type { Scale } from './scale.ts';
import type { Site } from './servers.ts';
import { passwordOf } from './sessions.ts';

/** Messages that mailboxes are put together from. */
const stockCount = 600;

const idleUser = (index: number): string => `idle-${index}`;
const hugeUser = (round: number): string => `huge-${round}`;
const userOf = (round: number, index: number): string => `user-${round}-${index}`;
const bigUser = 'big';
/** Served and not measured, before the first round. */
const warmUpRound = 0;

/** All mail of a bench, made once: the same for every server. */
export class Stock {
  readonly #scale: Scale;
  readonly #messages = Array.from({ length: stockCount }, (_, index) => messageOf(`stock-${index}`));
  readonly #deliveries = Array.from({ length: 100 }, (_, index) => messageOf(`delivery-${index}`));
  readonly #big: readonly Message[];

  constructor(scale: Scale) {
    this.#scale = scale;
    this.#big = Array.from({ length: scale.bigMessages }, (_, index) =>
      makeMessage(`big-${index}`, scale.bigOctets),
    );
  }

  mailboxes(site: Site, round: number): Mailbox[] {
    return Array.from({ length: this.#scale.users }, (_, index) =>
      Mailbox.create(site, userOf(round, index), this.#messagesOf(index)),
    );
  }

  bigMailbox(site: Site): Mailbox {
    return Mailbox.create(site, bigUser, this.#big);
  }

  hugeMailbox(site: Site, round: number): Mailbox {
    const { hugeMessages, hugeBodyOctets } = this.#scale;
    const messages = Array.from({ length: hugeMessages }, (_, index) =>
      makeMessage(`huge-${index}`, hugeBodyOctets),
    );
    return Mailbox.create(site, hugeUser(round), messages);
  }

  idleMailboxes(site: Site): Mailbox[] {
    const messages = [makeMessage('idle-0', 2000), makeMessage('idle-1', 2000)];
    return Array.from({ length: this.#scale.idleSessions }, (_, index) =>
      Mailbox.create(site, idleUser(index), messages),
    );
  }

  /** What comes in as a mailbox's nth delivery: never one that it still holds. */
  delivery(number: number): Message {
    return at(this.#deliveries, number);
  }

  #messagesOf(user: number): Message[] {
    // 7 has no divisor in common with the count, so no message comes twice.
    return Array.from({ length: this.#scale.messagesOfUser }, (_, index) =>
      at(this.#messages, user * 31 + index * 7),
    );
  }
}

/** Makes a server's folder, with a password for everyone who will ever log in. */
export function makeSite(folder: string, scale: Scale, owner: Owner): Site {
  const site = { folder, spool: join(folder, 'spool'), passwdFile: join(folder, 'passwd'), owner };
  mkdirSync(site.spool, { recursive: true });
  // Whatever the umask: servers give up root before they come here.
  chmodSync(folder, 0o755);
  chmodSync(site.spool, 0o755);
  chownSync(site.spool, owner.uid, owner.gid);
  const lines = allUsers(scale).map(
    (user) => `${user}:{PLAIN}${passwordOf(user)}:${owner.uid}:${owner.gid}::${folder}/home/${user}::`,
  );
  writeFileSync(site.passwdFile, `${lines.join('\n')}\n`, { mode: 0o644 });
  return site;
}

export const remove = (mailboxes: readonly Mailbox[]): void => {
  for (const { path } of mailboxes) rmSync(path, { force: true });
};

function allUsers({ rounds, users, idleSessions }: Scale): string[] {
  const names = [bigUser];
  for (let round = warmUpRound; round <= rounds; round += 1) {
    names.push(hugeUser(round));
    for (let index = 0; index < users; index += 1) names.push(userOf(round, index));
  }
  for (let index = 0; index < idleSessions; index += 1) names.push(idleUser(index));
  return names;
}

const messageOf = (key: string): Message => makeMessage(key, bodyOctetsOf(key));

function at(messages: readonly Message[], index: number): Message {
  const message = messages[index % messages.length];
  if (message === undefined) throw new RangeError('there is no mail in stock');
  return message;
}
