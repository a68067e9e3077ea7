import { err } from '../protocol/reply.ts';
import { Secret } from '../secret.ts';
import { defineCommand } from './command.ts';

/** USER name: the first half of a login. Answers the same whether or not the user exists (RFC 1939 section 13). */
export const user = defineCommand({
  keyword: 'USER',
  states: ['AUTHORIZATION'],
  usage: 'USER name',
  capability: 'USER',
  parse: (args) => args.word(),
  run: (name) => ({ kind: 'claim', user: name }),
});

/** PASS string: the second half. Spaces belong to the password (RFC 1939 section 7). */
export const pass = defineCommand({
  keyword: 'PASS',
  states: ['AUTHORIZATION'],
  usage: 'PASS string',
  secret: true,
  parse: (args) => args.rest(),

  run(password, { claimedUser }) {
    if (claimedUser === undefined) return err('USER first');
    const attempt = { method: 'password', user: claimedUser, password: new Secret(password) } as const;
    return { kind: 'login', attempt };
  },
});
