import type { Core } from '../core.ts';
import type { Line } from '../protocol/line-reader.ts';
import { firstLine } from '../protocol/reply.ts';
import type { Channel } from './channel.ts';

/**
 * A channel that shows each line to the `wire` hook. Secrets are masked here, before any tap: a command marked as secret
 * shows its keyword only, and so does a line that is no command, for it may be a password in the wrong place.
 */
export function traced(channel: Channel, core: Core): Channel {
  const session = channel.facts.id;
  const show = (direction: 'received' | 'sent', text: string): void => {
    try {
      core.hooks.wire.call({ session, direction, text });
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
      if (line !== undefined) show('received', masked(line, core));
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
      return channel.startTls(go);
    },
    loggedIn: () => channel.loggedIn(),
  };
}

function masked(line: Line, core: Core): string {
  if (line.kind !== 'line') return `(a line that is ${line.kind})`;
  const found = core.commands.find(line.text);
  if (found === undefined) return '(no command)';
  return found.command.secret ? `${found.command.keyword} ***` : line.text;
}
