import type { Core } from '../core.ts';
import type { CommandTable } from '../plugin/command-table.ts';
import type { Line } from '../protocol/line-reader.ts';
import { err, firstLine, type Reply } from '../protocol/reply.ts';
import type { Channel } from './channel.ts';
import { mayShow } from './may-show.ts';
import type { SessionTally } from './session-tally.ts';

/**
 * A channel that shows each line to the `wire` hook; the tally is the session's. Secrets are masked here, before any tap: where `mayShow` says so
 * a command shows its keyword only, and of a line that is no command nothing is shown.
 */
export function traced(channel: Channel, core: Core, tally: Pick<SessionTally, 'user'>): Channel {
  const { id: session, peer } = channel.facts;
  let claimed: string | undefined;
  let unknownWords: string | undefined;
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
      if (found?.command.keyword === 'USER' && found.command.fits(found.rest)) claimed = found.rest;
      unknownWords =
        found === undefined && line.kind === 'line' ? core.commands.keywordIn(line.text) : undefined;
      show('received', masked(line, found, tally.user !== undefined));
      return line;
    },
    readBody: () => channel.readBody(),
    readOctets: () => channel.readOctets(),
    send(reply) {
      show('sent', maskedReply(reply, unknownWords, core));
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

function masked(line: Line, found: ReturnType<CommandTable['find']>, isLoggedIn: boolean): string {
  if (line.kind !== 'line') return `(a line that is ${line.kind})`;
  if (found === undefined) return '(no command)';
  const { command, rest } = found;
  return mayShow(command, rest, isLoggedIn) ? line.text : `${command.keyword} ***`;
}

/** The classic popper repeated what it did not know. */
function maskedReply(reply: Reply, unknownWords: string | undefined, { replies }: Core): string {
  const line = firstLine(reply);
  if (unknownWords === undefined || line !== firstLine(err(replies.unknownCommand(unknownWords))))
    return line;
  return firstLine(err(replies.unknownCommand('***')));
}
