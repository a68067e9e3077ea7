import { createCore, type Core } from '../../core.ts';
import { loggerTo } from '../../log/logger.ts';
import { State } from '../../server/state.ts';
import { defaultSettings } from '../../settings.ts';

/** The commands of POP3 that are there without any plugin. */
export function bareCommands(): Core['commands'] {
  const stateDir = '/nonexistent';
  const settings = { ...defaultSettings, listen: [], stateDir };
  return createCore([], { settings, log: loggerTo(() => {}), state: new State(stateDir), baseFolder: '/' })
    .commands;
}
