import assert from 'node:assert/strict';
import { test } from 'node:test';

import { definePlugin, type Fact, ok, defineCommand, type Plugin, type Session } from 'popperd';
import { memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';
import { z } from 'zod';

import { FactTable } from './facts.ts';

const login = ['USER mrose', 'PASS secret'];

/** A plugin with a fact that MARK sets before the login and SHOW reads after it. */
function marker(schema: z.ZodType, value: unknown, seen: unknown[]): Plugin {
  return definePlugin({
    name: 'marker',
    options: z.strictObject({}),
    apply({ commands, facts }) {
      const fact: Fact<unknown> = facts.add({ name: 'mark', schema });
      const common = { parse: () => undefined } as const;
      commands.add(
        defineCommand({
          ...common,
          keyword: 'MARK',
          usage: 'MARK',
          states: ['AUTHORIZATION'],
          run(_, session) {
            fact.set(session, value);
            return ok();
          },
        }),
      );
      commands.add(
        defineCommand({
          ...common,
          keyword: 'SHOW',
          usage: 'SHOW',
          states: ['TRANSACTION'],
          run(_, session) {
            seen.push(fact.get(session));
            return ok();
          },
        }),
      );
    },
  })();
}

const serve = (plugin: Plugin) => new TestServer([plugin, memoryHost(memoryMaildrop([]))]);

test('a fact that was set before the login is there after it', async () => {
  const seen: unknown[] = [];
  await serve(marker(z.strictObject({ utf8: z.boolean() }), { utf8: true }, seen)).converse([
    'MARK',
    ...login,
    'SHOW',
  ]);
  assert.deepEqual(seen, [{ utf8: true }]);
});

test('a fact that was not set is undefined, and the next session knows nothing of the last', async () => {
  const seen: unknown[] = [];
  const server = serve(marker(z.boolean(), true, seen));
  await server.converse(['MARK', ...login, 'SHOW']);
  await server.converse([...login, 'SHOW']);
  assert.deepEqual(seen, [true, undefined]);
});

test('a value that does not fit its fact costs one -ERR, and nothing is carried', async () => {
  const seen: unknown[] = [];
  const server = serve(marker(z.number(), 'seven', seen));
  const said = await server.converse(['MARK', ...login, 'SHOW']);
  assert.equal(said[1], '-ERR [SYS/TEMP] internal error, try again later');
  assert.deepEqual(seen, [undefined]);
  assert.match(String(server.log.find(({ level }) => level === 'error')?.fields['error']), /fact mark/);
});

test('a fact that its own schema does not take back is refused at the login, and the maildrop is closed', async () => {
  const maildrop = memoryMaildrop([]);
  const oneWay = marker(z.string().transform(Number), '7', []);
  const said = await new TestServer([oneWay, memoryHost(maildrop)]).converse(['MARK', ...login, 'SHOW']);
  assert.deepEqual(said.slice(-1), ['-ERR [SYS/TEMP] internal error, try again later']);
  assert.equal(maildrop.closings, 1);
});

test('facts that come from outside are taken only where they were declared, and fit', () => {
  const table = new FactTable();
  const fact = table.declare({ name: 'language', schema: z.string() }, 'lang');
  const session = authorization();
  assert.throws(() => table.restore(session, { colour: 'red' }), /nobody declared the fact colour/);
  assert.throws(() => table.restore(session, { language: 7 }), /fact language/);
  assert.equal(fact.get(session), undefined);
  table.restore(session, { language: 'de' });
  assert.equal(fact.get(session), 'de');
  assert.deepEqual(table.collect(session), { language: 'de' });
});

const authorization = (): Session => ({
  id: 'test',
  peer: { address: '192.0.2.1', port: 1 },
  local: { address: '192.0.2.2', port: 110 },
  secure: false,
  signal: new AbortController().signal,
  state: 'AUTHORIZATION',
  claimedUser: undefined,
});
