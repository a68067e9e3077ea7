import { okLines } from '../protocol/reply.ts';
import type { Session } from '../session/session.ts';
import { type Command, defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** CAPA: what this server can do, in both states (RFC 2449 section 5). The list is made by whoever holds the tables. */
export const capaOf = (capabilitiesOf: (session: Session) => readonly string[]): Command =>
  defineCommand({
    keyword: 'CAPA',
    states: ['AUTHORIZATION', 'TRANSACTION'],
    usage: 'CAPA',
    countsOnly: true,
    parse: noArguments,
    run: (_, session) => okLines('capability list follows', capabilitiesOf(session)),
  });
