import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { needs } from '../e2e/support/program.ts';
import type { Unit } from './unit.ts';

const filter = join(import.meta.dirname, 'in-filter.py');
const folder = mkdtempSync(join(tmpdir(), 'popper-sandbox-'));
// The unit's user reads the filter there.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));

/** Options of a test that needs the filter, and of one that needs the rest of the sandbox, too. */
export const whole = needs('systemd', 'python3');
const canUnshare = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
export const asRoot = { skip: whole.skip || (!canUnshare && 'needs root, and mount name spaces') };

const families = new Map([
  ['AF_UNIX', 1],
  ['AF_INET', 2],
  ['AF_INET6', 10],
]);

/** Becomes a program under the unit's filter of system calls, where a call that it forbids ends the process. */
export function filtered(unit: Unit): readonly string[] {
  const file = join(folder, unit.name);
  writeFileSync(file, [...unit.systemCalls].join('\n'));
  const allowed = unit
    .words('RestrictAddressFamilies')
    .map((name) => families.get(name) ?? assert.fail(name));
  return ['/usr/bin/python3', filter, file, allowed.join(',')];
}

/**
 * The same with the unit's rights, and with nothing to write to but `state` and `spool` in that folder; as this user, whose the
 * folder becomes, or as root.
 */
export function confined(unit: Unit, home: { readonly folder: string }, uid?: number): readonly string[] {
  const rights = unit
    .words('CapabilityBoundingSet')
    .map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`);
  const set = ['-all', ...rights].join(',');
  const script = [
    ...(uid === undefined ? [] : [`chown -R ${uid}:${uid} ${home.folder}`]),
    ...['state', 'spool'].map((name) => `mount --bind ${home.folder}/${name} ${home.folder}/${name}`),
    'mount -o remount,bind,ro /',
    `mount -t proc -o hidepid=${unit.values('ProtectProc')[0]} proc /proc`,
    `umask ${unit.values('UMask')[0]}`,
    'exec "$@"',
  ];
  const isolated = ['unshare', '--mount', 'sh', '-ec', script.join('; '), 'sh'];
  const limited = ['setpriv', `--bounding-set=${set}`, '--no-new-privs'];
  const ambient = [`--inh-caps=${set}`, `--ambient-caps=${set}`];
  const user = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...ambient];
  return [...isolated, ...limited, ...(uid === undefined ? [] : user), ...filtered(unit)];
}
