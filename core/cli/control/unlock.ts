import { printable } from '../../log/sanitise.ts';
import { ask } from '../../server/control/client.ts';
import { protocolVersion, type Unlocked, unlockedSchema } from '../../server/control/messages.ts';
import { exitCode } from '../exit-code.ts';
import { type ControlCommand, jsonLine, printLine } from './control-command.ts';
import { linesOf } from './kick.ts';

export const unlock: ControlCommand = {
  usage: 'unlock <user>',
  summary: "end the session that holds a user's maildrop, and say whether it is free then",
  async run({ path, target: user, json, io: { stdout } }) {
    const unlocked = await ask(path, { version: protocolVersion, command: 'unlock', user }, unlockedSchema);
    const lines = json ? [jsonLine(unlocked)] : [...linesOf(unlocked), verdictOn(unlocked, user)];
    for (const line of lines) await printLine(stdout, line);
    return unlocked.lock === 'held' ? exitCode.problems : exitCode.done;
  },
};

function verdictOn({ lock, holders }: Unlocked, user: string): string {
  const name = printable(user, 64);
  if (lock === 'free') return `the maildrop of ${name} is free: no session holds it`;
  if (lock === 'unknown') {
    return `no session has opened the maildrop of ${name} since popper began: what locks it, if anything, is another program`;
  }
  const [first] = holders;
  if (first === undefined) return `the maildrop of ${name} is held by a process that popper may not look at`;
  return holders
    .map(({ pid, title }) => `the maildrop of ${name} is held by process ${pid} (${printable(title, 200)})`)
    .join('\n');
}
