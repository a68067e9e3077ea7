import { err, ok } from '../protocol/reply.ts';
import { defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** STLS: goes on over TLS (RFC 2595 section 4). Once, before the login. */
export const stls = defineCommand({
  keyword: 'STLS',
  states: ['AUTHORIZATION'],
  usage: 'STLS',
  capability: 'STLS',
  parse: noArguments,
  refuse({ state, secure }) {
    if (secure) return err('this connection has TLS already');
    return state === 'AUTHORIZATION' ? undefined : err('STLS comes before the login');
  },
  run: () => ({ kind: 'startTls', go: ok('begin TLS') }),
});
