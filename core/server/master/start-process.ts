import { type ChildProcess, fork } from 'node:child_process';

import type { Account } from '../user/account.ts';
import { marksOf } from './orphans.ts';

/**
 * What a process is for: to look at the configuration, to try whether somebody can load it, to serve clients, to check passwords, to be a user,
 * or to lock mailboxes.
 */
export const childRoles = ['plan', 'trial', 'front', 'auth', 'worker', 'locker'] as const;
export type ChildRole = (typeof childRoles)[number];

/** The program that children run, and its arguments behind the role. */
export interface Program {
  readonly entry: string;
  readonly args: readonly string[];
}

export interface StartOptions {
  readonly program: Program;
  /** What it reads on its standard input: the configuration as it was checked. Undefined for one that looks at the files. */
  readonly snapshot?: string | undefined;
  /** Of the configuration that is served with: by it a later daemon finds what this one has left. */
  readonly stateDir?: string | undefined;
  /** The child's from `firstSocketDescriptor` on. */
  readonly descriptors?: readonly number[];
  /** Whom it is from its first instruction on, in no other group; else it is who this process is. */
  readonly as?: Account | undefined;
}

/** Starts a process that a channel connects with this one. */
export const startProcess = (
  role: ChildRole,
  { program, snapshot, stateDir, descriptors = [], as }: StartOptions,
): ChildProcess => {
  const child = fork(program.entry, [role, ...program.args], {
    stdio: [
      snapshot === undefined ? 'ignore' : 'pipe',
      // What it prints has been printed by whoever checks.
      role === 'trial' ? 'ignore' : 'inherit',
      'inherit',
      'ipc',
      ...descriptors,
    ],
    execArgv: [...(runsSources() ? ['--conditions=popper-source'] : []), '--disable-sigusr1'],
    env: { ...withoutNode(process.env), ...(stateDir !== undefined && marksOf(stateDir)) },
    // Whoever presses Ctrl-C means the master.
    detached: tracesInterrupts(role),
    // The folder that root was started in may be closed to others.
    ...(as && { uid: as.uid, gid: as.gid, cwd: '/' }),
  });
  // One that ends before it has read everything is missed by whoever waits for it.
  child.stdin?.on('error', () => {}).end(snapshot);
  return child;
};

/**
 * Those that a thread within would cost too much, to watch where they block. They leave it to Node to print the calls that they are
 * in when SIGINT ends them (`util.setTraceSigInt`), for which their event loop need not turn.
 */
export const tracesInterrupts = (role: ChildRole): boolean => role === 'worker' || role === 'locker';

const runsSources = (): boolean =>
  /(?:-C|--conditions)[ =]popper-source\b/.test(
    [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '),
  );

/** Variables of Node's would run code in a child, or open its debugger; but these only say where things are, and configurations look at them. */
const keptOfNode = ['NODE_ENV', 'NODE_EXTRA_CA_CERTS', 'NODE_PATH'];

const withoutNode = (variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(variables).filter(([name]) => !name.startsWith('NODE_') || keptOfNode.includes(name)),
  );
