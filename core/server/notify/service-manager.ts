import type { Logger } from '../../log/logger.ts';
import type { Status } from '../control/messages.ts';
import { DatagramSocket } from '../datagram.ts';
import { NotifySocket } from './notify-socket.ts';
import type { NotifyVariables } from './variables.ts';

/** How often the manager hears how many sessions there are, in milliseconds. */
const statusEveryMs = 5000;
/** What the manager is asked to wait beyond what a stop may take, in milliseconds. */
const graceMs = 5000;

/** What is told of a daemon that serves. */
export interface Told {
  readonly status: () => Promise<Pick<Status, 'sessions' | 'draining'>>;
  /** Whether it serves anybody; where it does not for long, a watchdog starts it anew. */
  readonly isServing: () => boolean;
}

type Socket = Pick<NotifySocket, 'tell' | 'mention'>;
type Log = Pick<Logger, 'warn' | 'error'>;

/**
 * systemd, or whoever else started the daemon and wants to hear of its life by sd_notify(3). Where nobody does, all of
 * this does nothing.
 */
export class ServiceManager {
  /** Whether there is one, be it one that cannot be told anything. */
  readonly isThere: boolean;
  readonly #socket: Socket | undefined;
  readonly #watchdogMs: number | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #told: Told | undefined;
  #statusText = '';
  /** What became of the last reload, where that is no good news. */
  #trouble = '';
  #isStopping = false;

  constructor(isThere: boolean, socket?: Socket, watchdogMs?: number) {
    this.isThere = isThere;
    this.#socket = socket;
    this.#watchdogMs = watchdogMs;
  }

  /** Where it cannot be told anything the log says why, and what to do; the daemon serves all the same. */
  static async open(variables: NotifyVariables | undefined, log: Log): Promise<ServiceManager> {
    if (variables === undefined) return new ServiceManager(false);
    const { address, watchdogMs, watchedPid } = variables;
    const isWatched = watchedPid === undefined || watchedPid === process.pid;
    if (!isWatched) log.warn('the service manager watches another process', { watchedPid, fix: noDetour });
    if (!/^[@/]/.test(address)) {
      log.error('the service manager cannot be told', { address, fix: 'it is to use a unix socket' });
      return new ServiceManager(true);
    }
    try {
      const socket = new NotifySocket(await DatagramSocket.open(), address, log);
      return new ServiceManager(true, socket, isWatched ? watchdogMs : undefined);
    } catch (error) {
      log.error('the service manager cannot be told, and may end popper', { error, fix: noKoffi });
      return new ServiceManager(true);
    }
  }

  /** Clients can come. From now on it hears how many there are, and that the daemon is alive. */
  started(told: Told): void {
    if (this.#socket === undefined || this.#isStopping) return;
    this.#told = told;
    this.#socket.tell('READY=1');
    void this.#tellStatus();
    this.#timers.push(setInterval(() => void this.#tellStatus(), statusEveryMs));
    if (this.#watchdogMs === undefined) return;
    this.#timers.push(setInterval(() => this.#beat(), this.#watchdogMs / 2));
  }

  /** It could not start, for this reason. */
  failed(reason: string): void {
    this.#socket?.tell(`STATUS=${oneLine(`cannot start: ${reason}`)}`);
    this.#end();
  }

  /** It serves with another configuration as soon as `outcome` resolves, and as before where it rejects. */
  async reloads(outcome: Promise<unknown>): Promise<void> {
    const trouble = outcome.then(
      () => '',
      (error: unknown) =>
        `; the last reload failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    if (this.#isStopping) return;
    this.#socket?.tell('RELOADING=1', `MONOTONIC_USEC=${monotonicUs()}`);
    this.#trouble = await trouble;
    if (this.#isStopping) return;
    this.#socket?.tell('READY=1');
    void this.#tellStatus();
  }

  /** It ends, within so many milliseconds. */
  stopping(withinMs: number): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#socket?.tell('STOPPING=1', `EXTEND_TIMEOUT_USEC=${Math.round((withinMs + graceMs) * 1000)}`);
    void this.#tellStatus();
  }

  /** It has ended. */
  close(): void {
    this.#end();
  }

  #end(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** One that stops is given its time, whatever it still serves. */
  #beat(): void {
    if (this.#isStopping || this.#told?.isServing() === true) this.#socket?.mention('WATCHDOG=1');
  }

  async #tellStatus(): Promise<void> {
    if (this.#told === undefined) return;
    const text = this.#textOf(await this.#told.status());
    if (text === this.#statusText) return;
    if (this.#socket?.mention(`STATUS=${text}`)) this.#statusText = text;
  }

  #textOf({
    sessions: { authorization, transaction },
    draining,
  }: Awaited<ReturnType<Told['status']>>): string {
    const count = authorization + transaction;
    const what = this.#isStopping ? 'stopping' : draining ? 'draining' : 'serving';
    return oneLine(`${what}: ${count} ${count === 1 ? 'session' : 'sessions'}${this.#trouble}`);
  }
}

/** Node's clock is CLOCK_MONOTONIC, which is the one that systemd compares it with. */
const monotonicUs = (): bigint => process.hrtime.bigint() / 1000n;

/** What systemctl shows in one line. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 200);

const noDetour =
  'put a Node that is new enough for popper first in the PATH of the unit, so that popper needs no other process';
const noKoffi =
  'npm install koffi where popper is installed; or let the unit say Type=exec, without WatchdogSec and NotifyAccess';
