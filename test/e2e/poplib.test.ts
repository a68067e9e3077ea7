import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { onWire, plainMail, putMail } from './support/mail.ts';
import { helper, needs, run } from './support/program.ts';
import { logIn, makeSite, password, readMbox } from './support/site.ts';

for (const what of ['keep', 'delete'] as const) {
  test(
    `Python's poplib fetches every message octet for octet, to ${what} it`,
    needs('python3'),
    async (t) => {
      const site = await makeSite(t);
      await putMail(site.mboxOf('alice'), plainMail);
      const before = await readMbox(site);
      const { where } = await site.start();
      const inbox = join(site.folder, 'inbox');
      await mkdir(inbox);

      const args = [where.host, String(where.port), 'alice', password, inbox, what];
      const { stdout } = await run('python3', [helper('fetch.py'), ...args], { home: site.folder });

      for (const [index, { name, octets }] of plainMail.entries()) {
        assert.ok((await readFile(join(inbox, `${index + 1}`))).equals(onWire(octets)), name);
      }
      assert.equal(Number(stdout), what === 'keep' ? plainMail.length : 0, 'unique-ids of the messages left');
      assert.ok((await readMbox(site)).equals(what === 'keep' ? before : Buffer.alloc(0)));
      const session = await logIn(where);
      assert.match(await session.ask('STAT'), what === 'keep' ? /^\+OK 8 / : /^\+OK 0 0$/);
    },
  );
}
