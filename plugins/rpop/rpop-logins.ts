import { readFile } from 'node:fs/promises';

import {
  type AuthorizationSession,
  denied,
  granted,
  type LoginAttempt,
  lookUpHost,
  type Peer,
  unavailable,
  type Verdict,
} from 'popperd';

import { accountIn } from './account.ts';
import type { RpopAttempt } from './login-method.ts';
import { addressesIn } from './networks.ts';
import type { Options } from './options.ts';
import { readRhosts } from './rhosts-file.ts';
import { type Claimant, lets } from './rhosts.ts';

/** Below it are ports that rcmd(3) never uses, and services have. */
const lowestPort = 512;
/** From here on anybody on the client's machine may have a port, not its administrator alone. */
const firstFreePort = 1024;

/** What the client hears, wherever RPOP fails. */
export const permissionDenied = 'Permission denied.';

const refused = (reason: string): Verdict => denied(reason, permissionDenied);

/** Decides who gets in by RPOP. */
export class RpopLogins {
  readonly #options: Options;
  readonly #isTrusted: (address: string) => boolean;

  /** `passwd` is an absolute path. */
  constructor(options: Options) {
    this.#options = options;
    this.#isTrusted = addressesIn(options.from);
  }

  /** Whether the connection is one that a client's administrator made, on a port of his own. */
  hasLegalPort({ port }: Peer): boolean {
    return port >= lowestPort && port < firstFreePort;
  }

  /** Whether what such a client says is believed. */
  isTrusted({ address }: Peer): boolean {
    return this.#isTrusted(address);
  }

  /** Those that lead back to the client, for anybody can give his own address any name. Of strangers none are looked for. */
  async namesOf({ address }: Peer, signal: AbortSignal): Promise<readonly string[]> {
    const { timeoutMs, servers } = this.#options;
    if (!this.#isTrusted(address)) return [];
    const host = await lookUpHost(address, { timeoutMs, servers, signal });
    if (host.kind === 'no name') return [];
    return host.names.filter(({ kind }) => kind === 'agrees').map(({ name }) => name);
  }

  /** Undefined for what is no RPOP. Never throws. */
  async decide(attempt: LoginAttempt, { peer, signal }: AuthorizationSession): Promise<Verdict | undefined> {
    if (attempt.method !== 'rpop') return undefined;
    // Asked by the command as well, which is not the only one that could have made the attempt.
    if (!this.hasLegalPort(peer) || !this.isTrusted(peer))
      return refused('RPOP from where it is not allowed');
    // Before anything depends on whether the user is there, so that the time of the answer does not tell.
    const names = await this.namesOf(peer, signal);
    try {
      return await this.#verdictOn(attempt, { address: peer.address, names });
    } catch (cause) {
      return unavailable(cause);
    }
  }

  async #verdictOn({ user, clientUser }: RpopAttempt, client: Client): Promise<Verdict> {
    const { minUid, passwd } = this.#options;
    const account = accountIn(await readFile(passwd, 'latin1'), user);
    if (account === undefined) return refused('no such user');
    const { uid, home } = account;
    if (uid < minUid) return refused(`uid ${uid} is below minUid, ${minUid}`);
    const rhosts = await readRhosts(home, uid);
    if ('refused' in rhosts) return refused(rhosts.refused);
    if (lets(rhosts.text, { ...client, clientUser, user })) return granted(account);
    const places = [...client.names, client.address].join(', ');
    return refused(`.rhosts does not let in ${clientUser} from ${places}`);
  }
}

type Client = Pick<Claimant, 'address' | 'names'>;
