import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { z } from 'zod';

import { loginAnswerSchema, loginQuestionSchema } from '../user/login-messages.ts';
import { workerOrderSchema, workerReportSchema } from '../user/worker-messages.ts';
import { orderSchema, reportSchema } from './messages.ts';

const peer = { address: '192.0.2.1', port: 40_000 };
const facts = { id: '17-4', peer, local: { address: '192.0.2.2', port: 110 }, secure: false };
const overTls = { ...facts, secure: true, tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } };
const identity = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };
const none = { messages: 0, octets: 0 };
const mail = { retrieved: none, top: none, deleted: none, left: { messages: 3, octets: 4711 } };
const outcome = { ending: 'quit', ...mail, openMs: 3, updateMs: 0, isTorn: false, received: 40, sent: 120 };
const failed = {
  ...outcome,
  ending: 'failed',
  failure: { code: 'IN-USE', reason: 'somebody else is there' },
};

interface Case {
  readonly schema: z.ZodType;
  readonly message: object;
}

const crowds = { addresses: [['192.0.2.1', 3]], networks: [['192.0.2', 3]], users: [['mrose', 2]] };

/** What processes say to one another for each login, and of who has many connections. */
const cases: Readonly<Record<string, Case>> = {
  'what is asked of the process that checks passwords': {
    schema: loginQuestionSchema,
    message: { kind: 'password', request: 5, user: 'mrose', session: overTls, facts: { utf8: true } },
  },
  'its verdict': {
    schema: loginAnswerSchema,
    message: { kind: 'granted', request: 5, identity, ticket: 'c2VhbGVk' },
  },
  'what a front asks of the master': {
    schema: reportSchema,
    message: { kind: 'assign', request: 5, ticket: 'c2VhbGVk', facts, lends: true },
  },
  'what a worker is told to serve': {
    schema: workerOrderSchema,
    message: { kind: 'serve', ticket: 'c2VhbGVk', facts, lent: true },
  },
  'what a session came to, as the worker tells it': {
    schema: workerReportSchema,
    message: { kind: 'ended', session: '17-4', outcome: failed },
  },
  'who has many connections here': {
    schema: reportSchema,
    message: { kind: 'crowds', crowds, why: 'sudden' },
  },
  'who has many connections elsewhere': {
    schema: orderSchema,
    message: {
      kind: 'elsewhere',
      taken: { connections: 5, strangers: { count: 2, oldestMs: 5000 } },
      crowds,
      look: 3,
    },
  },
  'what it came to, as the front is told': {
    schema: orderSchema,
    message: { kind: 'ended', session: '17-4', outcome },
  },
};

for (const [what, { schema, message }] of Object.entries(cases))
  describe(`${what} is checked by code that zod writes for it`, () => {
    test('which it can', () => {
      assert.doesNotThrow(() => z.compile(schema, { strict: true }));
    });

    test('and which takes and refuses what the schema does', () => {
      const compiled = z.compile(schema);
      assert.equal(compiled.safeParse(message).success, true);
      fc.assert(
        fc.property(spoilt(message), (heard) => {
          const { success, data } = compiled.safeParse(heard);
          const plain = schema.safeParse(heard);
          assert.deepEqual({ success, data }, { success: plain.success, data: plain.data });
        }),
        { numRuns: 500 },
      );
    });
  });

/** The message, with something else in one place, something more, or something less, as it comes out of JSON. */
function spoilt(message: object): fc.Arbitrary<unknown> {
  const places = placesIn(message);
  const other = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(-1, 0.5, 2 ** 53, '', 'x'.repeat(400)),
  );
  const extra = fc.constantFrom('more', '__proto__', 'constructor', 'kind');
  return fc
    .record({
      place: fc.constantFrom(...places),
      other,
      extra,
      how: fc.constantFrom('changed', 'added', 'left out'),
    })
    .map(({ place, other: value, extra: key, how }) => {
      if (how === 'added') return JSON.parse(spoil(message, [...place, key], JSON.stringify(value)));
      return JSON.parse(spoil(message, place, how === 'changed' ? JSON.stringify(value) : undefined));
    });
}

/** The paths of all that is in an object, and of what is in that. */
const placesIn = (value: object): string[][] =>
  Object.entries(value).flatMap(([key, inner]: [string, unknown]) => [
    [key],
    ...(isObject(inner) ? placesIn(inner).map((path) => [key, ...path]) : []),
  ]);

/** JSON, since an object's own `__proto__` comes from nowhere else. */
function spoil(value: unknown, [key, ...rest]: readonly string[], json: string | undefined): string {
  const entries = isObject(value) ? Object.entries(value).filter(([name]) => name !== key) : [];
  const old = isObject(value) && key !== undefined ? Reflect.get(value, key) : undefined;
  const text = rest.length > 0 ? spoil(old, rest, json) : json;
  const texts = entries.map(([name, inner]) => `${JSON.stringify(name)}:${JSON.stringify(inner)}`);
  if (text !== undefined) texts.push(`${JSON.stringify(key)}:${text}`);
  return `{${texts.join(',')}}`;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
