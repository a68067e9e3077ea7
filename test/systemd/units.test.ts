import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { z } from 'zod';

import { openFilesFor } from '../../core/server/descriptors.ts';
import { defaultSettings } from '../../core/settings.ts';
import { needs, run } from '../e2e/support/program.ts';
import { missingPackages } from '../packages.mjs';
import { Unit } from './unit.ts';

const options = needs('systemd');
const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/systemd.md'), 'utf8');

const folder = mkdtempSync(join(tmpdir(), 'popper-units-'));
after(() => rmSync(folder, { recursive: true }));

const isThere = !missingPackages().some(({ name }) => name === 'systemd');
const version = isThere
  ? Number(/^systemd (\d+)/.exec(execFileSync('systemd-analyze', ['--version'], { encoding: 'utf8' }))?.[1])
  : 0;

const units = [
  { unit: new Unit('popper.service'), isolation: 'none', exposure: 1.5, atMost: 2.5 },
  { unit: new Unit('popper-user.service'), isolation: 'user', exposure: 2.5, atMost: 3.5 },
] as const;

/** The unit in a folder of its own, as this machine can verify it: with a program that is there. */
function installed({ name, text }: Unit): string {
  const file = join(folder, name);
  writeFileSync(file, text.replaceAll('/opt/popper/node_modules/.bin/popper', '/bin/true'));
  return file;
}

for (const { unit, isolation, exposure, atMost } of units) {
  test(`${unit.name} is a unit without mistakes`, options, async () => {
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', installed(unit)], {
      home: folder,
    });
    const complaints = stderr.split('\n').filter((line) => line.includes('popper'));
    // The line above it holds for those that do not know it.
    const known = version < 253 ? [/Failed to parse service type, ignoring: notify-reload$/] : [];
    assert.equal(complaints.length, known.length, stderr);
    for (const [index, complaint] of known.entries()) assert.match(complaints[index] ?? '', complaint);
  });

  test(
    `${unit.name} leaves popper no more than ${atMost} of 10 of what a service can do to a machine`,
    options,
    async () => {
      const args = [
        'security',
        '--offline=true',
        '--no-pager',
        `--threshold=${atMost * 10}`,
        installed(unit),
      ];
      const { stdout } = await run('systemd-analyze', args, { home: folder });
      // Other versions count otherwise.
      if (version !== 252) return;
      assert.match(stdout.toString(), new RegExp(`Overall exposure level for ${unit.name}: ${exposure} OK`));
    },
  );

  test(
    `the guide has a reason for each point that ${unit.name} does not take`,
    { ...options, skip: options.skip || (version !== 252 && 'the table is by systemd 252') },
    async () => {
      const args = ['security', '--offline=true', '--no-pager', '--json=short', installed(unit)];
      const { stdout } = await run('systemd-analyze', args, { home: folder });
      const open = points.parse(JSON.parse(stdout.toString())).filter((point) => point.exposure !== null);
      const expected = open.map((point) => `${point.name} ${point.exposure}`);
      assert.deepEqual(reasonsFor(isolation).toSorted(), expected.toSorted());
      assert.ok(guide.includes(`**${exposure}**`));
    },
  );

  test(`${unit.name} lets popper open as many files as its configuration needs by default`, () => {
    const { connections } = defaultSettings.limits;
    assert.deepEqual(unit.values('LimitNOFILE'), [String(openFilesFor(connections))]);
  });

  test(`${unit.name} is waited for by whoever delivers mail, and reports when it is ready`, () => {
    const later = unit.words('Before');
    for (const agent of ['postfix', 'exim4', 'sendmail', 'opensmtpd']) {
      assert.ok(later.includes(`${agent}.service`), agent);
    }
    // Where systemd does not know the second, the first holds; with none it would not wait.
    assert.deepEqual(unit.values('Type'), ['notify', 'notify-reload']);
  });
}

const points = z.array(z.looseObject({ name: z.string(), exposure: z.string().nullable() }));

/** Rows of the guide's table: `| point | none | user | reason |`, where a figure says that the point is not taken. */
function reasonsFor(isolation: 'none' | 'user'): readonly string[] {
  return guide.split('\n').flatMap((line) => {
    const [, point, none, user, reason] =
      /^\| `([^`]+)`\s*\| ([\d. ]+)\| ([\d. ]+)\| (.+) \|$/.exec(line.replaceAll('\\|', '¦')) ?? [];
    if (point === undefined) return [];
    assert.ok((reason ?? '').trim().length > 20, `${point} has no reason`);
    const figure = (isolation === 'none' ? none : user)?.trim();
    return figure ? [`${point.replaceAll('¦', '|')} ${figure}`] : [];
  });
}

/** What the guide's table says of each, and of all of them: how open popper-user.service is with it. */
for (const [dropIns, figure] of [
  [['sendmail.conf'], '2.8'],
  [['homes.conf'], '2.7'],
  [['classic.conf'], '2.5'],
  [['sendmail.conf', 'homes.conf', 'classic.conf'], '2.9'],
] as const) {
  test(
    `with ${dropIns.join(', ')} popper-user.service has no mistakes, and is as open as the guide says`,
    options,
    async (t) => {
      const file = installed(new Unit('popper-user.service'));
      t.after(() => rmSync(`${file}.d`, { recursive: true }));
      mkdirSync(`${file}.d`);
      for (const name of dropIns) {
        const text = new Unit(`drop-ins/${name}`).text.replaceAll(
          '/opt/popper/node_modules/.bin/popper',
          '/bin/true',
        );
        writeFileSync(join(`${file}.d`, name), text);
      }
      const { stderr } = await run('systemd-analyze', ['verify', '--man=no', file], { home: folder });
      assert.doesNotMatch(stderr, new RegExp(dropIns.join('|')));
      // The table's last row is for all of them.
      const row = dropIns.length === 1 ? `\`drop-ins/${dropIns[0]}\`` : 'all three';
      assert.match(guide, new RegExp(`^\\| .*${row}.*\\| ${figure} +\\|$`, 'm'));
      if (version !== 252) return;
      const args = ['security', '--offline=true', '--no-pager', file];
      const { stdout } = await run('systemd-analyze', args, { home: folder });
      assert.match(
        stdout.toString(),
        new RegExp(`Overall exposure level for popper-user.service: ${figure} OK`),
      );
    },
  );
}

test('the drop-in for old systemd gives the unit a reload', options, async () => {
  const file = installed(new Unit('popper.service'));
  mkdirSync(`${file}.d`);
  const dropIn = new Unit('popper.service.d/before-253.conf');
  writeFileSync(
    join(`${file}.d`, 'before-253.conf'),
    dropIn.text.replace('/opt/popper/node_modules/.bin/popper', '/nonexistent/popper'),
  );
  const verified = run('systemd-analyze', ['verify', '--man=no', file], { home: folder });
  // That it is missed shows that it was read.
  await assert.rejects(verified, /Command \/nonexistent\/popper is not executable/);
  rmSync(`${file}.d`, { recursive: true });
});

test('the user and the folders that the files beside it describe can be made', options, async () => {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  for (const [kind, program] of [
    ['sysusers', 'systemd-sysusers'],
    ['tmpfiles', 'systemd-tmpfiles'],
  ] as const) {
    mkdirSync(join(root, `etc/${kind}.d`));
    cpSync(
      join(import.meta.dirname, `../../docs/examples/systemd/popper.${kind}`),
      join(root, `etc/${kind}.d/popper.conf`),
    );
    const args = [`--root=${root}`, ...(kind === 'tmpfiles' ? ['--create'] : [])];
    await run(program, args, { home: folder });
  }
  assert.match(
    readFileSync(join(root, 'etc/passwd'), 'utf8'),
    /^popper:x:\d+:\d+:POP3 server popper:\/nonexistent:\/usr\/sbin\/nologin$/m,
  );
});
