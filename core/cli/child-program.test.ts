import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { noFlags } from '../config/flags.ts';
import { givenSockets } from '../server/activation/variables.ts';
import { childProgram, readChildArguments } from './child-program.ts';

const sockets = fc.array(fc.stringMatching(/^[!-9;-~]{1,20}$/), { maxLength: 4 }).map(givenSockets);
const client = fc.option(
  fc.record({ kind: fc.constantFrom('socket' as const, 'pipe' as const), beginsWithTls: fc.boolean() }),
  { nil: undefined },
);

test('a child process knows the sockets and the client that the process above it has', () => {
  fc.assert(
    fc.property(sockets, client, fc.boolean(), (given, sole, explains) => {
      const told = {
        file: '/etc/popper/popper.config.yaml',
        flags: noFlags,
        given,
        ...(explains && { explains }),
        ...(sole && { client: { ...sole } }),
      };
      const { args } = childProgram(told);
      assert.deepEqual(readChildArguments(['front', ...args]), { role: 'front', ...told });
    }),
  );
});

test('a child that is started otherwise does not take part of its command line for the rest', () => {
  assert.throws(() => readChildArguments(['front', '--clients=socket', '/etc/popper.config.yaml']));
});
