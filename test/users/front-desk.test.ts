import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Secret } from '../../core/secret.ts';
import type { Order, Report } from '../../core/server/ipc/messages.ts';
import { Child } from '../../core/server/master/child.ts';
import { FrontDesk } from '../../core/server/master/front-desk.ts';
import type { CarriedConnectionFacts } from '../../core/server/user/connection-facts.ts';
import { LoginClient } from '../../core/server/user/login-client.ts';
import { silent } from './support/children.ts';
import { alice, Site } from './support/site.ts';
import { SmallMaster } from './support/small-master.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

/** Says what it was told. */
const echo = `
  process.on('message', (order) => process.send({ kind: 'failed', reason: JSON.stringify(order) }));`;

describe('what a taken-over front gets of its master', { skip }, () => {
  let site: Site;
  let master: SmallMaster;
  let front: Child;
  let desk: FrontDesk;
  let told: Order[];

  before(async () => {
    site = await Site.make();
    master = await SmallMaster.start(site, { spares: 0, sessionsPerUser: 1 });
    const entry = join(site.folder, 'front.cjs');
    await writeFile(entry, echo);
    front = Child.start('front', { program: { entry, args: [] }, log: silent });
    desk = new FrontDesk(front, { pool: master.pool, log: silent });
  });
  after(async () => {
    front.kill();
    await front.ended;
    await master.stop();
    await site.remove();
  });

  /** As the auth process gives it to whoever has the password. */
  const ticketFor = async (session: string): Promise<string> => {
    const logins = new LoginClient(await master.introduceFront());
    const signal = new AbortController().signal;
    const asking = { ...factsOf(session), signal, state: 'AUTHORIZATION', claimedUser: undefined } as const;
    const password = new Secret(Buffer.from(alice.password));
    const { ticket } = await logins.decide({ method: 'password', user: alice.name, password }, asking, {});
    return ticket ?? '';
  };

  let requests = 0;
  const ask = async (session: string, ticket?: string): Promise<void> => {
    requests += 1;
    const sealed = ticket ?? (await ticketFor(session));
    desk.hear(
      { kind: 'assign', request: requests, ticket: sealed, facts: factsOf(session), lends: false },
      undefined,
    );
  };

  /** Resolves with the next so many orders that the front has got. */
  const orders = (count: number): Promise<readonly Order[]> =>
    new Promise((resolve) => {
      told = [];
      front.heard = (report: Report) => {
        if (report.kind === 'failed') told.push(JSON.parse(report.reason));
        if (told.length === count) resolve(told);
      };
    });

  test('a second process for the same session it does not get, and the place of its user is free after the first', async () => {
    const session = `${front.pid}-1`;
    const [one, other] = [await ticketFor(session), await ticketFor(session)];
    const answers = orders(2);
    await ask(session, one);
    await ask(session, other);
    assert.deepEqual((await answers).map(({ kind }) => kind).toSorted(), ['assigned', 'unassigned']);
    const end = orders(1);
    desk.hear({ kind: 'end', session, how: 'gone' }, undefined);
    assert.equal((await end)[0]?.kind, 'ended');
    const next = orders(1);
    await ask(`${front.pid}-2`);
    assert.equal((await next)[0]?.kind, 'assigned');
  });

  test('the same ticket it cannot use again, nor one for another session', async () => {
    const session = `${front.pid}-3`;
    const ticket = await ticketFor(session);
    const elsewhere = orders(1);
    await ask(`${front.pid}-4`, ticket);
    assert.equal((await elsewhere)[0]?.kind, 'unassigned');
    const notItsOwn = orders(1);
    await ask('1-1');
    assert.equal((await notItsOwn)[0]?.kind, 'unassigned');
  });
});

const factsOf = (session: string): CarriedConnectionFacts => {
  const peer = { address: '192.0.2.7', port: 4711 };
  return { id: session, peer, local: { address: '192.0.2.1', port: 110 }, secure: true };
};
