import { ask } from '../../server/control/client.ts';
import { drainedSchema, protocolVersion } from '../../server/control/messages.ts';
import { exitCode } from '../exit-code.ts';
import { count } from '../explain.ts';
import { type ControlCommand, jsonLine, printLine } from './control-command.ts';

export const drain: ControlCommand = {
  usage: 'drain',
  summary: 'let nobody in any more, and end the daemon with its last session',
  async run({ path, json, io: { stdout } }) {
    const drained = await ask(path, { version: protocolVersion, command: 'drain' }, drainedSchema);
    const text = `nobody is let in any more; popper ends with the last session (${count(drained.sessions, 'session')} now)`;
    await printLine(stdout, json ? jsonLine(drained) : text);
    return exitCode.done;
  },
};
