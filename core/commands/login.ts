import { err, type Reply } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import { Secret } from '../secret.ts';
import type { ConnectionFacts } from '../session/channel.ts';
import { type Command, defineCommand } from './command.ts';

/** Why no password may be sent on a connection; undefined where it may. */
type PasswordRule = (facts: ConnectionFacts) => Reply | undefined;

/** USER name: the first half of a login. Answers the same whether or not the user exists (RFC 1939 section 13). */
export const userUnder = (refuse: PasswordRule): Command =>
  defineCommand({
    keyword: 'USER',
    states: ['AUTHORIZATION'],
    usage: 'USER name',
    capability: 'USER',
    refuse,
    parse: (args) => args.word(),

    run: (name) => ({ kind: 'claim', user: name }),
  });

/** PASS string: the second half. Spaces belong to the password (RFC 1939 section 7). */
export const passUnder = (refuse: PasswordRule, replies: Replies): Command =>
  defineCommand({
    keyword: 'PASS',
    states: ['AUTHORIZATION'],
    usage: 'PASS string',
    secret: true,
    refuse,
    parse: (args) => args.rest(),

    run(password, { claimedUser }) {
      if (claimedUser === undefined) return err(replies.userWanted());
      const attempt = { method: 'password', user: claimedUser, password: new Secret(password) } as const;
      return { kind: 'login', attempt };
    },
  });
