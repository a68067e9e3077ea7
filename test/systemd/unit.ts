import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../docs/examples/systemd');

/** One of the units that an operator copies. */
export class Unit {
  readonly name: string;
  readonly text: string;

  constructor(name: string) {
    this.name = name;
    this.text = readFileSync(join(folder, name), 'utf8');
  }

  /** All values that a key has, in their order. */
  values(key: string): readonly string[] {
    return this.text
      .split('\n')
      .filter((line) => line.startsWith(`${key}=`))
      .map((line) => line.slice(key.length + 1));
  }

  /** The words of all of them. */
  words(key: string): readonly string[] {
    return this.values(key).flatMap((value) => value.split(' '));
  }

  /** The system calls that its filter lets pass, as systemd adds and removes them line by line. */
  get systemCalls(): ReadonlySet<string> {
    // Always allowed by systemd, or nothing could be executed.
    const allowed = new Set(callsIn('@default'));
    for (const value of this.values('SystemCallFilter')) {
      const calls = value.replace('~', '').split(' ').flatMap(callsIn);
      if (value.startsWith('~')) for (const call of calls) allowed.delete(call);
      else for (const call of calls) allowed.add(call);
    }
    return allowed;
  }
}

/** A set of system calls by its name, with the sets in it. */
function callsIn(name: string): readonly string[] {
  if (!name.startsWith('@')) return [name];
  const listed = execFileSync('systemd-analyze', ['--no-pager', 'syscall-filter', name], {
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap(callsIn);
}
