import { sessionsOf } from '../../server/control/client.ts';
import type { SessionEntry } from '../../server/control/messages.ts';
import { exitCode } from '../exit-code.ts';
import { type Asking, type ControlCommand, jsonLine, printLine } from './control-command.ts';
import { since } from './duration.ts';
import { type Column, tableOf } from './table.ts';

export const who: ControlCommand = {
  usage: 'who',
  summary: 'list the sessions that are open',
  async run(asking) {
    await (asking.json ? printAsJson(asking) : printTable(asking));
    return exitCode.done;
  },
};

async function printAsJson({ path, io: { stdout } }: Asking): Promise<void> {
  for await (const session of sessionsOf(path)) await printLine(stdout, jsonLine(session));
}

async function printTable({ path, io: { stdout } }: Asking): Promise<void> {
  const rows: (readonly string[])[] = [];
  const nowMs = Date.now();
  for await (const session of sessionsOf(path)) rows.push(rowOf(session, nowMs));
  const lines = rows.length === 0 ? ['no session is open'] : tableOf(columns, rows);
  for (const line of lines) await printLine(stdout, line);
}

const columns: readonly Column[] = [
  { name: 'SESSION', align: 'left' },
  { name: 'USER', align: 'left' },
  { name: 'ADDRESS', align: 'left' },
  { name: 'TLS', align: 'left' },
  { name: 'STATE', align: 'left' },
  { name: 'COMMAND', align: 'left' },
  { name: 'AGE', align: 'right' },
  { name: 'IDLE', align: 'right' },
  { name: 'RETR', align: 'right' },
  { name: 'DELE', align: 'right' },
  { name: 'SENT', align: 'right' },
];

function rowOf(session: SessionEntry, nowMs: number): readonly string[] {
  const { id, user, address, secure, state, command, retrieved, marked, sent } = session;
  return [
    id,
    user ?? '',
    address,
    secure ? 'yes' : 'no',
    state,
    command ?? '',
    since(session.startedAt, nowMs),
    since(session.activeAt, nowMs),
    String(retrieved.messages),
    String(marked.messages),
    String(sent),
  ];
}
