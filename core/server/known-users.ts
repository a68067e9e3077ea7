import { err } from '../protocol/reply.ts';
import type { Authority, Ticket } from '../session/authority.ts';
import type { Channel } from '../session/channel.ts';
import type { SessionTally } from '../session/session-tally.ts';
import type { Limits } from './limits.ts';

interface Options {
  readonly limits: Pick<Limits, 'admitUser'>;
  /** Is told of each session whose client has proved who it is. */
  readonly known: (session: string) => void;
}

/** This authority, with what is decided of a client once it is known: it keeps its place, unless it has too many of them. */
export function withKnownUsers(authority: Authority, { limits, known }: Options): Authority {
  return {
    authenticate: (attempt, session) => authority.authenticate(attempt, session),
    async transact(channel, ticket, tally): Promise<void> {
      const leave = await limits.admitUser(ticket.identity.user);
      // Others may have been asked, which takes a moment.
      if (channel.ending !== undefined) return leave?.();
      if (leave === undefined) return refuse(channel, ticket, tally);
      known(channel.facts.id);
      try {
        await authority.transact(channel, ticket, tally);
      } finally {
        leave();
      }
    },
  };
}

const tooMany = { text: 'too many sessions of this user, end one of them', code: 'IN-USE' } as const;

/** RFC 2449 section 8.1.2: the login is right, and the maildrop is in use. */
async function refuse(channel: Channel, { identity }: Ticket, tally: SessionTally): Promise<void> {
  tally.loggedIn(identity.user);
  tally.refused(tooMany);
  await channel.send(err(tooMany.text, tooMany.code));
}
