import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createCore } from '../../core.ts';
import { loggerTo, type LogRecord } from '../../log/logger.ts';
import type { Maildrop } from '../../maildrop/maildrop.ts';
import type { Plugin } from '../../plugin/plugin.ts';
import { defaultSettings, type Settings } from '../../settings.ts';
import { alone, type Daemon, type Part, startDaemon } from '../daemon.ts';
import { State } from '../state.ts';

/** A daemon on a port of its own, and everything it logged. */
export interface Running {
  readonly daemon: Daemon;
  readonly port: number;
  readonly log: readonly LogRecord[];
}

/** Starts a daemon with this one plugin, its state in a new temporary folder that goes when it has stopped. `part`: what it is to be other than alone. */
export async function running(
  plugin: Plugin,
  settings: Partial<Settings> = {},
  part: Partial<Part> = {},
): Promise<Running> {
  const log: LogRecord[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'popper-daemon-test-'));
  const state = new State(folder);
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const core = createCore([plugin], {
    settings: { ...defaultSettings, listen, stateDir: folder, ...settings },
    log: loggerTo((record) => log.push(record)),
    state,
    baseFolder: folder,
  });
  core.hooks.stop.tapPromise('daemon-under-test', () => rm(folder, { recursive: true, force: true }));
  const daemon = await startDaemon(core, state, { ...alone, ...part });
  return { daemon, port: Number(daemon.addresses[0]?.split(':').at(-1)), log };
}

/** The maildrop with some of its methods replaced. */
export const changed = (maildrop: Maildrop, changes: Partial<Maildrop>): Maildrop => ({
  count: maildrop.count,
  totalOctets: maildrop.totalOctets,
  octetsOf: (index) => maildrop.octetsOf(index),
  uidOf: (index) => maildrop.uidOf(index),
  read: (index, signal) => maildrop.read(index, signal),
  commit: (deleted) => maildrop.commit(deleted),
  close: () => maildrop.close(),
  ...changes,
});

/** Work that never ends, whatever it is told. */
export const never = (): Promise<never> => new Promise(() => {});

/** A client over a socket: what it hears is gathered, and asked for by its end. */
export class SocketClient {
  readonly socket: Socket;
  heard = '';
  /** The code of the error that broke the connection, or kept it from being made. */
  broken: string | undefined;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    // A client may be cut off at any time; what it heard until then is what a test looks at.
    this.socket.on('error', (error) => {
      this.broken = 'code' in error ? String(error.code) : error.message;
    });
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard += text;
    });
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  async hears(expected: RegExp): Promise<void> {
    while (!expected.test(this.heard)) {
      assert.ok(
        !this.socket.readableEnded && !this.socket.closed,
        `never heard ${String(expected)}, but ${this.heard}`,
      );
      await this.#any('data', 'end', 'close');
    }
  }

  /** Resolves when the server has said all it will, or the connection is broken. */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.closed) {
      await this.#any('end', 'close');
    }
    this.socket.destroy();
    return this.heard;
  }

  /** Not `once` of node:events, which throws at a reset: here it is one way for a connection to end. */
  async #any(...events: readonly string[]): Promise<void> {
    const left = new AbortController();
    const { signal } = left;
    await Promise.race(
      events.map((event) => new Promise<void>((resolve) => this.#once(event, resolve, signal))),
    );
    left.abort();
  }

  #once(event: string, listener: () => void, signal: AbortSignal): void {
    this.socket.once(event, listener);
    signal.addEventListener('abort', () => this.socket.off(event, listener));
  }
}
