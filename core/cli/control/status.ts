import { printable } from '../../log/sanitise.ts';
import { ask } from '../../server/control/client.ts';
import { protocolVersion, type Status, statusSchema } from '../../server/control/messages.ts';
import { exitCode } from '../exit-code.ts';
import { count } from '../explain.ts';
import { type ControlCommand, jsonLine, printLine } from './control-command.ts';
import { since } from './duration.ts';

export const status: ControlCommand = {
  usage: 'status',
  summary: 'say how the daemon is',
  async run({ path, json, io: { stdout } }) {
    const answer = await ask(path, { version: protocolVersion, command: 'status' }, statusSchema);
    const lines = json ? [jsonLine(answer)] : linesOf(answer);
    for (const line of lines) await printLine(stdout, line);
    return exitCode.done;
  },
};

function linesOf(answer: Status): readonly string[] {
  const { version, pid, startedAt, sessions, logins, retrieved, deleted, memory, workers } = answer;
  const facts: readonly (readonly [name: string, fact: string])[] = [
    ['config', answer.configFile],
    ['listening', answer.draining ? 'no more: it is being drained' : answer.listening.join(', ')],
    ['sessions', `${sessions.authorization} in AUTHORIZATION, ${sessions.transaction} in TRANSACTION`],
    ...(workers ? [usersOf(workers)] : []),
    ['logins', `${logins.accepted} accepted, ${logins.refused} refused`],
    ['retrieved', tallyOf(retrieved)],
    ['deleted', tallyOf(deleted)],
    ['delay', `${answer.eventLoopDelayP99Ms} ms (event loop, p99)`],
    ['memory', `${mebibytes(memory.residentOctets)} resident, ${mebibytes(memory.heapOctets)} heap`],
  ];
  return [
    `popper ${printable(version, 64)}, pid ${pid}, up ${since(startedAt)}`,
    ...facts.map(([name, fact]) => `${name.padEnd(9)}  ${printable(fact, 4096)}`),
  ];
}

const usersOf = ({ users, spares }: NonNullable<Status['workers']>): readonly [string, string] => [
  'users',
  `${users} served, ${spares} spare`,
];

const tallyOf = ({ messages, octets }: Status['retrieved']): string =>
  `${count(messages, 'message')}, ${count(octets, 'octet')}`;

const mebibytes = (octets: number): string => `${(octets / 2 ** 20).toFixed(1)} MiB`;
