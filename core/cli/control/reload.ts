import { ask } from '../../server/control/client.ts';
import { protocolVersion, reloadedSchema } from '../../server/control/messages.ts';
import { exitCode } from '../exit-code.ts';
import { type ControlCommand, jsonLine, printLine } from './control-command.ts';

export const reload: ControlCommand = {
  usage: 'reload',
  summary: 'serve with the configuration as it is now; open sessions stay',
  async run({ path, json, io: { stdout } }) {
    const reloaded = await ask(path, { version: protocolVersion, command: 'reload' }, reloadedSchema);
    const text = `clients are now served by generation ${reloaded.generation}, with the configuration as it is`;
    await printLine(stdout, json ? jsonLine(reloaded) : text);
    return exitCode.done;
  },
};
