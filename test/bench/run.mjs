// popper beside other POP3 servers on the same mail: npm run bench -- --help

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';

import { installPackages, missingPackages } from '../packages.mjs';
import { dovecotDefault, dovecotHighPerformance, dovecotMaildir } from './dovecot.ts';
import { mustsOf } from './musts.ts';
import { findPopa3d, popa3d } from './popa3d.ts';
import { popper, popperAsUsers, popperWithTwoFronts } from './popper.ts';
import { runBench } from './rounds.ts';
import { quickScale, wholeScale } from './scale.ts';
import { tableOf } from './table.ts';
import { workloads } from './workloads.ts';

const help = `npm run bench -- [options]

  --quick             a minute's worth, to see that everything works; its figures say little
  --rounds N          how often each workload is run (default ${wholeScale.rounds})
  --workloads A,B     some of ${workloads.map(({ name }) => name).join(', ')}
  --contenders A,B    some of popper, popper-2, popper-user, dovecot, dovecot-maildir, dovecot-default, popa3d
  --alone             the same as --contenders popper
  --profile FOLDER    writes popper's CPU profiles there
  --write FILE        writes the result as a page, too

Dovecot and socat are installed where they are missing, and popa3d is fetched; without root popper is measured alone.
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
        contenders: { type: 'string' },
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
  const contenders = chosenOf('contenders', contendersHere(), ({ key }) => key);
  const bench = {
    scale: { ...scale, rounds: roundsOf(scale) },
    contenders,
    workloads: chosenOf('workloads', workloads, ({ name }) => name),
    owner: isRoot() ? { uid: 65_534, gid: 65_534 } : { uid: process.getuid(), gid: process.getgid() },
    progress: (line) => process.stderr.write(`${line}\n`),
  };
  const results = await runBench(bench);
  const table = tableOf(results, namesOf(contenders));
  const musts = mustsOf(results, namesOf(contenders.filter(({ isPeer }) => isPeer)));
  process.stdout.write(flags.quick ? `${table}\n` : `${table}\n\n${musts}\n`);
  if (flags.write !== undefined) writeFileSync(flags.write, page(bench.scale, { table, musts }));
}

function namesOf(contenders) {
  return contenders.map(({ name }) => name);
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

/** Those of the list that the flag names, in the list's order; all of them without the flag. */
function chosenOf(flag, list, keyOf) {
  const keys = flags[flag]?.split(',') ?? list.map(keyOf);
  const unknown = keys.find((key) => !list.some((one) => keyOf(one) === key));
  if (unknown !== undefined)
    throw new Error(`--${flag}: there is no "${unknown}" here, but ${list.map(keyOf).join(', ')}`);
  return list.filter((one) => keys.includes(keyOf(one)));
}

function contendersHere() {
  const own = [popper(profileOptions()), popperWithTwoFronts];
  if (flags.alone) return own.slice(0, 1);
  if (!isRoot()) return without(own, 'all others have to be started by root');
  const missing = missingPackages().filter(({ name }) => ['dovecot-pop3d', 'socat'].includes(name));
  const isTrial = flags.quick && flags.contenders === undefined;
  if (isTrial && missing.length > 0)
    return without(own, `not installed: ${missing.map(({ name }) => name).join(', ')}`);
  installPackages(missing);
  const quickOnes = [...own, dovecotHighPerformance, dovecotMaildir];
  if (isTrial) return quickOnes;
  const all = [...own, popperAsUsers, dovecotHighPerformance, dovecotMaildir, dovecotDefault];
  const program = findPopa3d();
  return program === undefined ? without(all, 'popa3d is not to be had') : [...all, popa3d(program)];
}

function without(contenders, reason) {
  process.stderr.write(`some are left out: ${reason}\n`);
  return contenders;
}

function isRoot() {
  return process.getuid() === 0;
}

function profileOptions() {
  return flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
}

function page(scale, { table, musts }) {
  return `# Benchmark

Made by \`npm run bench -- --write docs/reference/benchmark.md\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}.

The servers get the same mail and the same work in the same run, one after the other and in another order in each of
${scale.rounds} rounds; figures are medians. Client and servers share the machine and talk over 127.0.0.1. Every reply is checked: each
octet of each message against the mail that was made, STAT against its sum, unique-ids against those of the session before. A wrong
one ends the bench. There are ${scale.users} users with ${scale.messagesOfUser} messages each, about 26 KB in the mean, and ${scale.clients} clients at a time.
Before each workload but the first the server has seen each mailbox and the client knows its unique-ids, which is not measured.

The absolute figures are this machine's and this hour's. Compare columns, and trust CPU time most: it is what all processes of a
server used, those that have ended too. The clients' own CPU time is told because they take it from the same processors: where it
is near to a server's, sessions and megabytes a second say as much of them. Memory is what ${scale.idleSessions} idle sessions add, a page that processes share counted once (PSS).
Passwords are stored in the clear, since hashing costs the same everywhere and more than all else. popper makes deletions durable
before it answers QUIT, and so does popa3d; Dovecot does not wait for the disk.

- \`popper\` is one process, \`popper, 2 fronts\` a master and two. \`popper, isolation user\` is a master, a front, a process
  that checks passwords and one for each of the eight uids that its mail belongs to. All run as their defaults are, but that these
  eight are kept for as long as the others' turns last (\`workers.idleMs\`), as they are where users come each minute.
- Dovecot's high-performance mode serves one session after the other in a process; its default mode makes new ones for each.
- popa3d is started for each connection by a small inetd with TCP_NODELAY, its better case. It knows only users of the system, so
  it looks through a passwd file of these users, and asks PAM as Debian sets that up, with the cheapest hash there is.
  Where mail has changed it waits for the clock's next second.

All mail is in mboxes but where the column says Maildir. A dash is for what a server does not do, or does as in another column.

${table}

## What popper is to reach

Each row compares popper with another server in the same rounds: CPU and memory with the best of all peers here, the rest with the one that
is named. What many clients get in a second is compared with two fronts, which popper starts by default where there are two
processors: Dovecot's processes use both of them, too.

${musts}
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
