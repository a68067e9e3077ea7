import type { Command } from '../commands/command.ts';
import type { Core } from '../core.ts';
import type { Line } from '../protocol/line-reader.ts';
import { firstLine } from '../protocol/reply.ts';
import type { Channel } from './channel.ts';
import type { SessionTally } from './session-tally.ts';

/**
 * A channel that shows each line to the `wire` hook; the tally is the session's. Secrets are masked here, before any tap: a command marked as secret
 * shows its keyword only, and so does a line that is no command, for it may be a password in the wrong place.
 */
export function traced(channel: Channel, core: Core, tally: Pick<SessionTally, 'user'>): Channel {
  const { id: session, peer } = channel.facts;
  let claimed: string | undefined;
  const show = (direction: 'received' | 'sent', text: string): void => {
    try {
      core.hooks.wire.call({ session, peer, user: tally.user ?? claimed, direction, text });
    } catch (error) {
      core.log.error('wire failed', { session, error });
    }
  };
  return {
    get facts() {
      return channel.facts;
    },
    get ending() {
      return channel.ending;
    },
    get received() {
      return channel.received;
    },
    get sent() {
      return channel.sent;
    },
    async readLine() {
      const line = await channel.readLine();
      if (line === undefined) return undefined;
      const found = line.kind === 'line' ? core.commands.find(line.text) : undefined;
      if (found?.command.keyword === 'USER') claimed = found.rest;
      show('received', masked(line, found?.command));
      return line;
    },
    readBody: () => channel.readBody(),
    readOctets: () => channel.readOctets(),
    send(reply) {
      show('sent', firstLine(reply));
      return channel.send(reply);
    },
    startTls(go) {
      show('sent', firstLine(go));
      // Nothing said before TLS is believed after it.
      claimed = undefined;
      return channel.startTls(go);
    },
    loggedIn: () => channel.loggedIn(),
  };
}

function masked(line: Line, command: Command | undefined): string {
  if (line.kind !== 'line') return `(a line that is ${line.kind})`;
  if (command === undefined) return '(no command)';
  return command.secret ? `${command.keyword} ***` : line.text;
}
