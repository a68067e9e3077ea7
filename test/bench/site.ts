import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bodyOctetsOf, makeMessage, type Message, random } from './mail.ts';
import { Mailbox } from './mailbox.ts';
import { type Owner, placeOf } from './places.ts';
import type { Scale } from './scale.ts';
import type { Contender, Site } from './servers.ts';
import { passwordOf } from './sessions.ts';

/** Messages that mailboxes are put together from. */
const stockCount = 600;

/** Of those that mail is spread over; no account of the system has it. */
const firstUid = 20_001;
const idleUser = (index: number): string => `idle-${index}`;
const hugeUser = (round: number): string => `huge-${round}`;
const userOf = (round: number, index: number): string => `user-${round}-${index}`;
const bigUser = 'big';
/** Served and not measured, before the first round. */
export const warmUpRound = 0;

/** All mail of a bench, made once: the same for every server. */
export class Stock {
  readonly #scale: Scale;
  readonly #messages = Array.from({ length: stockCount }, (_, index) => messageOf(`stock-${index}`));
  readonly #deliveries = Array.from({ length: 100 }, (_, index) => messageOf(`delivery-${index}`));
  readonly #big: readonly Message[];

  constructor(scale: Scale) {
    this.#scale = scale;
    // Now, so that nobody's session is kept waiting for it.
    for (const message of [...this.#messages, ...this.#deliveries]) {
      message.wire();
      message.topWire();
    }
    this.#big = Array.from({ length: scale.bigMessages }, (_, index) =>
      makeMessage(`big-${index}`, scale.bigOctets),
    );
  }

  mailboxes(site: Site, round: number): Mailbox[] {
    return Array.from({ length: this.#scale.users }, (_, index) =>
      create(site, userOf(round, index), this.#messagesOf(index)),
    );
  }

  bigMailbox(site: Site): Mailbox {
    return create(site, bigUser, this.#big);
  }

  hugeMailbox(site: Site, round: number): Mailbox {
    const { hugeMessages, hugeBodyOctets } = this.#scale;
    const messages = Array.from({ length: hugeMessages }, (_, index) =>
      makeMessage(`huge-${index}`, hugeBodyOctets),
    );
    return create(site, hugeUser(round), messages);
  }

  idleMailboxes(site: Site): Mailbox[] {
    const messages = [makeMessage('idle-0', 2000), makeMessage('idle-1', 2000)];
    return Array.from({ length: this.#scale.idleSessions }, (_, index) =>
      create(site, idleUser(index), messages),
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

/** Makes a server's folder, with a password for everyone who will log in. */
export function makeSite(
  folder: string,
  users: readonly string[],
  { contender: { format = 'mbox', uids }, owner }: Kind,
): Site {
  const ownerOf = (user: string): Owner => {
    if (uids === undefined) return owner;
    const uid = firstUid + Math.floor(random(user)() * uids);
    return { uid, gid: uid };
  };
  const site = { folder, spool: join(folder, 'spool'), passwdFile: join(folder, 'passwd'), format, ownerOf };
  mkdirSync(site.spool, { recursive: true });
  // Whatever the umask: servers give up root before they come here.
  chmodSync(folder, 0o755);
  chownSync(site.spool, owner.uid, owner.gid);
  // With several owners each of them makes its lock files here.
  chmodSync(site.spool, uids === undefined ? 0o755 : 0o1777);
  const lines = users.map((user) => {
    const { uid, gid } = ownerOf(user);
    return `${user}:{PLAIN}${passwordOf(user)}:${uid}:${gid}::${folder}/home/${user}::`;
  });
  writeFileSync(site.passwdFile, `${lines.join('\n')}\n`, { mode: 0o644 });
  return site;
}

interface Kind {
  readonly contender: Pick<Contender, 'format' | 'uids'>;
  /** Of all mail, where the contender does not want several. */
  readonly owner: Owner;
}

const create = ({ format, spool, ownerOf }: Site, user: string, messages: readonly Message[]): Mailbox =>
  Mailbox.create(user, placeOf(format, spool, user, ownerOf(user)), messages);

export const clear = (mailboxes: readonly Mailbox[]): void => {
  for (const mailbox of mailboxes) mailbox.clear();
};

/** Everyone but the idle ones. */
export function usersOf(scale: Scale): string[] {
  const names = new Set<string>();
  for (let round = warmUpRound; round <= scale.rounds; round += 1)
    for (const user of usersOfRound(scale, round)) names.add(user);
  return [...names];
}

export const usersOfRound = ({ users }: Scale, round: number): string[] => [
  bigUser,
  hugeUser(round),
  ...Array.from({ length: users }, (_, index) => userOf(round, index)),
];

export const idleUsersOf = ({ idleSessions }: Scale): string[] =>
  Array.from({ length: idleSessions }, (_, index) => idleUser(index));

const messageOf = (key: string): Message => makeMessage(key, bodyOctetsOf(key));

function at(messages: readonly Message[], index: number): Message {
  const message = messages[index % messages.length];
  if (message === undefined) throw new RangeError('there is no mail in stock');
  return message;
}
