import { printable } from '../../log/sanitise.ts';
import { ask } from '../../server/control/client.ts';
import { type Kicked, kickedSchema, protocolVersion } from '../../server/control/messages.ts';
import { exitCode } from '../exit-code.ts';
import { type ControlCommand, jsonLine, printLine } from './control-command.ts';

export const kick: ControlCommand = {
  usage: 'kick <target>',
  summary: 'end a session, by its id, or all of a user, by name; nothing marked is deleted',
  async run({ path, target, json, io: { stdout } }) {
    const kicked = await ask(path, { version: protocolVersion, command: 'kick', target }, kickedSchema);
    const lines = json ? [jsonLine(kicked)] : linesOf(kicked);
    for (const line of lines) await printLine(stdout, line);
    return kicked.late.length === 0 ? exitCode.done : exitCode.problems;
  },
};

/** What became of sessions that were told to end, a line each. */
export const linesOf = ({ ended, late }: Kicked): readonly string[] => [
  ...ended.map((id) => `${printable(id, 64)} has ended`),
  ...late.map((id) => `${printable(id, 64)} is cut off, and ends when what it is at is done`),
];
