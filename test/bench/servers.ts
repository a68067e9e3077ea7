import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { Format, Owner } from './places.ts';

/** A folder of its own for one server: what it serves, and whatever it makes itself. */
export interface Site {
  readonly folder: string;
  /** A mailbox for each user. */
  readonly spool: string;
  readonly format: Format;
  /** `user:{PLAIN}password:uid:gid::home::` a line. */
  readonly passwdFile: string;
  readonly ownerOf: (user: string) => Owner;
}

/** A server that can be put beside others. */
export interface Contender {
  /** As it is called on the command line. */
  readonly key: string;
  readonly name: string;
  /** Whether popper is measured against it. */
  readonly isPeer: boolean;
  /** What its mailboxes are; mbox if it does not say. */
  readonly format?: Format;
  /** Over how many uids of their own its users are spread; all are one if it does not say. */
  readonly uids?: number;
  /** Workloads that it cannot do, or that would show nothing new. */
  readonly skips?: readonly string[];
  /** Is told who will log in from here on, where it matters to it how many others there are. */
  readonly expect?: (site: Site, users: readonly string[]) => void;
  /** Writes its configuration for this port and gives the command that serves in the foreground. */
  prepare(site: Site, port: number): readonly string[];
}

export interface Running {
  readonly port: number;
  /** Its first process; all others descend from it. */
  readonly processId: number;
  stop(): Promise<void>;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 15_000;

/** Starts it and waits until it answers. Throws an Error that shows its output where it does not. */
export async function start(contender: Contender, site: Site): Promise<Running> {
  const port = await freePort();
  const [program = '', ...args] = contender.prepare(site, port);
  const output = join(site.folder, 'output.log');
  const descriptor = openSync(output, 'a');
  const child = spawn(program, args, { cwd: site.folder, stdio: ['ignore', descriptor, descriptor] });
  closeSync(descriptor);
  try {
    await answering(child, port);
  } catch (error) {
    await stop(child);
    throw new Error(`${contender.name} did not start:\n${readFileSync(output, 'utf8')}`, { cause: error });
  }
  return { port, processId: child.pid ?? 0, stop: () => stop(child) };
}

/** Below those that the kernel gives to connections that go out: one of them might take it before the server does. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  const giveUpAtMs = performance.now() + startTimeoutMs;
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with exit code ${code}`)));
  });
  // Kept from being called unhandled when it ends later on, which is no error.
  ended.catch(() => {});
  while (!(await Promise.race([greets(port), ended]))) {
    if (performance.now() > giveUpAtMs) throw new Error(`no greeting after ${startTimeoutMs} ms`);
    await delay(50);
  }
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('error', () => settle(false)).once('close', () => settle(false));
    socket.once('data', (octets) => settle(octets.toString('latin1').startsWith('+OK')));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const patience = new AbortController();
  void delay(stopTimeoutMs, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await exited;
  patience.abort();
}
