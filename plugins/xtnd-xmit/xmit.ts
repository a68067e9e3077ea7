import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import {
  classicLine,
  type Command,
  defineCommand,
  err,
  Failure,
  type Identity,
  lockFile,
  ok,
  type Outcome,
  type Popper,
  type Reply,
  type TransactionSession,
} from 'popperd';

import { atDomain, plainAddress } from './addresses.ts';
import type { Options } from './options.ts';
import { Rate } from './rate.ts';
import { type Letter, receive, type ReceiveRules } from './receive.ts';
import { NotSent, PartlySent, Refused } from './refused.ts';
import { NoSpoolFile, openSpoolFile } from './spool.ts';
import type { Transport } from './transports/transport.ts';

interface Office {
  readonly popper: Pick<Popper, 'state' | 'log'>;
  readonly options: Options;
  readonly transport: Transport;
}

/** XTND XMIT: the client sends a message through its session. */
export const xmit = (office: Office): Command =>
  defineCommand({
    keyword: 'XTND XMIT',
    states: ['TRANSACTION'],
    usage: 'XTND XMIT',
    countsOnly: true,
    parse: () => undefined,
    run: (_, session) => begin(session, office),
  });

/** Whatever can be refused before the client has sent the text is refused here. */
async function begin(session: TransactionSession, office: Office): Promise<Reply | Outcome> {
  const { popper } = office;
  const folder = join(await popper.state.folderOf(session.identity), stateFolder);
  const rate = rateOf(session.identity, folder, office);
  const minutes = await rate.minutesLeft(Date.now());
  if (minutes !== undefined) return err(tooMany(minutes, office), 'SYS/TEMP');
  try {
    const rules = rulesFor(session.identity, office);
    const file = await openSpoolFile(join(folder, 'spool'));
    return {
      kind: 'receive',
      go: ok('Start sending the message.'),
      take: (body) => take(body, { file, rules, rate, session, office }),
    };
  } catch (error) {
    if (error instanceof Refused) return err(error.message, 'SYS/PERM');
    if (!(error instanceof NoSpoolFile)) throw error;
    throw new Failure(`Unable to create temporary message file "${error.file}", errno = ${error.errno}`, {
      cause: error.cause,
    });
  }
}

/** Below the state folder of whoever is served. */
const stateFolder = 'xtnd-xmit';

/** Where messages lie while they come, below the state folder. */
export const spoolFolder = join(stateFolder, 'spool');

interface Sending {
  readonly file: FileHandle;
  readonly rules: ReceiveRules;
  readonly rate: Rate;
  readonly session: TransactionSession;
  readonly office: Office;
}

async function take(body: AsyncIterable<Uint8Array>, sending: Sending): Promise<Reply> {
  try {
    return await receiveAndSend(body, sending);
  } catch (error) {
    return answered(error, sending);
  } finally {
    await sending.file.close();
  }
}

async function receiveAndSend(body: AsyncIterable<Uint8Array>, sending: Sending): Promise<Reply> {
  const { file, rules, rate, session, office } = sending;
  const { user } = session.identity;
  const letter = await receive(body, file, rules);
  // Counted whether or not it arrives: a failure that comes late may come after the message has left.
  const minutes = await rate.count(Date.now());
  if (minutes !== undefined) return err(`${tooMany(minutes, office)}; nothing was sent`, 'SYS/TEMP');
  office.popper.log.debug(`Pop transmit from "${user}" on "${session.peer.address}"`, {
    ...classicLine,
    session: session.id,
  });
  try {
    await office.transport.send(letter, AbortSignal.timeout(office.options.timeoutMs));
  } catch (error) {
    if (!(error instanceof PartlySent)) throw error;
    const rejected = error.rejected.length;
    office.popper.log.warn('message sent, but not to all', { ...factsOf(letter, sending), rejected, error });
    return err(error.message);
  }
  office.popper.log.info('message sent', factsOf(letter, sending));
  return ok('Message sent successfully');
}

function answered(error: unknown, { session, office }: Sending): Reply {
  const facts = { session: session.id, user: session.identity.user };
  if (error instanceof Failure) throw error;
  if (error instanceof Refused) {
    office.popper.log.info('message refused', { ...facts, reason: error.message });
    return err(`${error.message}; nothing was sent`);
  }
  office.popper.log.warn('message not sent', { ...facts, error });
  return err(error instanceof NotSent ? error.message : 'Unable to send message');
}

const factsOf = ({ envelope, octets }: Letter, { session, office }: Sending) => ({
  session: session.id,
  user: session.identity.user,
  transport: office.options.transport.kind,
  recipients: envelope.to.length,
  octets,
});

function rulesFor({ user }: Identity, { options, transport }: Office): ReceiveRules {
  const domain = options.domain ?? hostname();
  const own = plainAddress(atDomain(user, domain));
  return { ...options, domain, own, sender: options.sender ?? own, lineEnd: transport.lineEnd };
}

const rateOf = ({ user }: Identity, folder: string, { options }: Office): Rate =>
  new Rate(join(folder, 'rates', `${encodeURIComponent(user)}.sent`), options.maxMessagesPerHour, {
    tryLock: (descriptor) => lockFile(descriptor, 'exclusive'),
  });

const tooMany = (minutes: number, { options }: Office): string =>
  `${options.maxMessagesPerHour} messages an hour may be sent: come back in ${minutes} min`;
