// popper beside other POP3 servers on the same mail: npm run bench -- --help

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';

import { installPackages, missingPackages } from '../packages.mjs';
import { dovecotDefault, dovecotHighPerformance } from './dovecot.ts';
import { popper } from './popper.ts';
import { runBench } from './rounds.ts';
import { quickScale, wholeScale } from './scale.ts';
import { tableOf } from './table.ts';
import { workloads } from './workloads.ts';

const help = `npm run bench -- [options]

  --quick             a minute's worth, to see that everything works; its figures say little
  --rounds N          how often each workload is run (default ${wholeScale.rounds})
  --workloads A,B     some of ${workloads.map(({ name }) => name).join(', ')}
  --alone             popper only
  --profile FOLDER    writes popper's CPU profiles there
  --write FILE        writes the result as a page, too

Dovecot is installed where it is missing; without root it is not measured.
`;

const flags = readFlags();
if (flags?.help) process.stdout.write(help);
else if (flags !== undefined) await main().catch(complain);

/** Undefined where they are wrong, which has been said. */
function readFlags() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        workloads: { type: 'string' },
        alone: { type: 'boolean' },
        profile: { type: 'string' },
        write: { type: 'string' },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main() {
  const scale = flags.quick ? quickScale : wholeScale;
  const peers = flags.alone ? [] : peersHere();
  const contenders = [popper(profileOptions()), ...peers];
  const bench = {
    scale: { ...scale, rounds: roundsOf(scale) },
    contenders,
    workloads: chosen(),
    owner: isRoot() ? { uid: 65_534, gid: 65_534 } : { uid: process.getuid(), gid: process.getgid() },
    progress: (line) => process.stderr.write(`${line}\n`),
  };
  const results = await runBench(bench);
  const table = tableOf(
    results,
    contenders.map(({ name }) => name),
  );
  process.stdout.write(`${table}\n`);
  if (flags.write !== undefined) writeFileSync(flags.write, page(bench.scale, table));
}

function complain(error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function roundsOf(scale) {
  const rounds = Number(flags.rounds ?? scale.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is to be 1 or more, got ${flags.rounds}`);
  return rounds;
}

function chosen() {
  const names = flags.workloads?.split(',') ?? workloads.map(({ name }) => name);
  const unknown = names.find((name) => !workloads.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new Error(`there is no workload "${unknown}", see --help`);
  return workloads.filter(({ name }) => names.includes(name));
}

/** Dovecot has to be started by root, who it stops being. */
function peersHere() {
  if (!isRoot()) return without('Dovecot has to be started by root');
  const missing = missingPackages().filter(({ name }) => name === 'dovecot-pop3d');
  if (missing.length > 0 && flags.quick) return without('the package dovecot-pop3d is not installed');
  installPackages(missing);
  return [dovecotHighPerformance, dovecotDefault];
}

function without(reason) {
  process.stderr.write(`popper is measured alone: ${reason}\n`);
  return [];
}

function isRoot() {
  return process.getuid() === 0;
}

function profileOptions() {
  return flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
}

function page(scale, table) {
  return `# Benchmark

Made by \`npm run bench -- --write docs/reference/benchmark.md\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}.

The servers get the same mail in mboxes and the same work in the same run, one after the other and in another order in each of
${scale.rounds} rounds; figures are medians. Client and servers share the machine and talk over 127.0.0.1. Every reply is checked: each
octet of each message against the mail that was made, STAT against its sum, unique-ids against those of the session before. A wrong
one ends the bench. There are ${scale.users} users with ${scale.messagesOfUser} messages each, about 26 KB in the mean, and ${scale.clients} clients at a time.

The absolute figures are this machine's and this hour's. Compare columns, and trust CPU time most: it is what all processes of a
server used, those that have ended too. Memory is what ${scale.idleSessions} idle sessions add, a page that processes share counted once (PSS).
Passwords are stored in the clear for all, since hashing costs the same everywhere and more than all else. Both servers log each
session. popper makes deletions durable before it answers QUIT, Dovecot does not wait for the disk.

${table}
`;
}

function machine() {
  const processors = cpus();
  const dovecot = versionOf('dovecot');
  const programs = [`Node ${process.version}`, ...(dovecot ? [`Dovecot ${dovecot}`] : [])];
  const processor = `${processors.length} x ${processors[0]?.model.trim()} (${arch()})`;
  // What follows the version is a name that somebody gave to one machine's build.
  const [kernel] = release().split('-');
  return [processor, `Linux ${kernel}`, ...programs].join(', ');
}

function versionOf(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.trim().split(' ')[0];
}
