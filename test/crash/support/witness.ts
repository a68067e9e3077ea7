import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { FileCall } from './plan.ts';

/** strace, watching a running process from outside. */
export class Witness {
  readonly #file: string;
  readonly #strace: ReturnType<typeof spawn>;

  private constructor(file: string, strace: ReturnType<typeof spawn>) {
    this.#file = file;
    this.#strace = strace;
  }

  /** Every call on a file or a descriptor is written to `file`: unknown ones must not go unseen. */
  static async attach(pid: number, file: string): Promise<Witness> {
    const args = [
      '-f',
      '-y',
      '-s',
      '16',
      '-e',
      'trace=%file,%desc',
      '-e',
      'signal=none',
      '-o',
      file,
      '-p',
      `${pid}`,
    ];
    const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const said = once(strace.stderr ?? strace, 'data');
    const ended = once(strace, 'exit').then(([code]) => {
      throw new Error(`strace ended with code ${code} before it watched anything`);
    });
    const [text] = await Promise.race([said, ended]);
    ended.catch(() => {});
    if (!String(text).includes('attached')) throw new Error(`strace does not watch: ${text}`);
    // It takes the threads one by one.
    await delay(100);
    return new Witness(file, strace);
  }

  /** Stops watching; gives what it saw, a line for each call. */
  async detach(): Promise<readonly string[]> {
    const ended = once(this.#strace, 'exit');
    this.#strace.kill('SIGINT');
    await ended;
    return (await readFile(this.#file, 'latin1')).split('\n');
  }
}

/** What happened between a QUIT's arrival and its answer's leaving, for each session in turn. */
export function quitsIn(lines: readonly string[]): string[][] {
  const quits: string[][] = [];
  let open: string[] | undefined;
  for (const line of lines) {
    if (line.includes('"QUIT\\r\\n"')) quits.push((open = []));
    else if (/\bwritev?\(.*"(?:\+OK|-ERR)/.test(line)) open = undefined;
    else open?.push(line);
  }
  return quits;
}

/** What the kernel is asked for at this fault point: it syncs a folder as it syncs a file. */
export const changeOf = ({ call, path }: FileCall): FileChange => ({
  call: call === 'syncFolder' ? 'sync' : call,
  path,
});

/** The calls among them that change files. One that is not known to be harmless counts, whatever it is. */
export const changesIn = (lines: readonly string[]): FileChange[] =>
  lines.flatMap((line) => changeIn(line) ?? []);

/** A change as the kernel was asked for it, in the words of the file layer where it has one. */
export interface FileChange {
  readonly call: FileCall['call'] | `unknown: ${string}`;
  readonly path: string;
}

function changeIn(line: string): FileChange | undefined {
  // "resumed" is the end of a call whose beginning was seen.
  const [, name, rest] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
  if (name === undefined || rest === undefined || isHarmless(name, rest)) return undefined;
  const path = /^(?:\d+<|AT_FDCWD<[^>]*>, "|")([^>"]*)/.exec(rest)?.[1] ?? rest;
  const call = words.get(name);
  return { call: call ?? `unknown: ${name}`, path };
}

const words: ReadonlyMap<string, FileCall['call']> = new Map([
  ['pwrite64', 'write'],
  ['write', 'write'],
  ['ftruncate', 'truncate'],
  ['fsync', 'sync'],
  ['fdatasync', 'dataSync'],
  ['open', 'create'],
  ['openat', 'create'],
  ['rename', 'rename'],
  ['link', 'link'],
  ['unlink', 'unlink'],
  ['mkdir', 'createFolder'],
]);

const onlyLooks = new Set(
  [
    'read pread64 readv preadv lseek close fadvise64 readahead getdents64 getcwd fcntl flock',
    'stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat',
    'poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2',
    'dup dup2 dup3 eventfd2 pipe2',
  ].flatMap((names) => names.split(' ')),
);

function isHarmless(name: string, rest: string): boolean {
  if (onlyLooks.has(name)) return true;
  if (name === 'open' || name === 'openat') return !/O_CREAT|O_TRUNC|O_TMPFILE/.test(rest);
  if (name === 'mmap') return !/MAP_SHARED/.test(rest) || !/PROT_WRITE/.test(rest);
  // Sockets, pipes, eventfds and terminals are no files.
  return (
    /^\d+<(?:socket|TCP|TCPv6|UNIX|pipe|anon_inode|\/dev\/)[^>]*/.test(rest) &&
    !/fallocate|copy_file|sendfile|splice/.test(name)
  );
}
