import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, chown, lchown, link, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { mboxOf, onWire, plainMail } from '../e2e/support/mail.ts';
import { needs } from '../e2e/support/program.ts';
import { password } from '../e2e/support/site.ts';
import { ServedSite } from './support/served-site.ts';
import { alice, bob } from './support/site.ts';

const skip = process.getuid?.() === 0 ? needs('openssl').skip : 'only root can serve users as themselves';
const group = Number(spawnSync('getent', ['group', 'mail'], { encoding: 'utf8' }).stdout.split(':')[2]);
const secret = 'for bob alone';
const mailOfBob = Buffer.from(
  `From carol@example.org Mon Nov  2 10:00:00 2026\nSubject: ${secret}\n\n${secret}\n\n`,
);

describe(
  "users of the system, in a spool where everybody may make files, with isolation: 'user'",
  { skip },
  () => {
    let served: ServedSite;

    before(async () => {
      const logins = ['auth-shadow', { passwd: 'etc-passwd', shadow: 'etc-shadow' }];
      // For names that lead elsewhere: what keeps them out is not that nobody knows them.
      const grants = join(import.meta.dirname, 'support/grants-anybody.ts');
      const plugins = [[grants, { but: [alice.name, bob.name], uid: bob.uid, gid: bob.gid }]];
      served = await ServedSite.make([], { logins, plugins });
      const { folder, spool } = served.site;
      const { stdout } = spawnSync('openssl', ['passwd', '-6', password], { encoding: 'utf8' });
      const people = [alice, bob];
      const passwd = people.map(({ name, uid, gid }) => `${name}:x:${uid}:${gid}::/home/${name}:/bin/sh\n`);
      const shadow = people.map(({ name }) => `${name}:${stdout.trim()}:20000:0:99999:7:::\n`);
      await writeFile(join(folder, 'etc-passwd'), passwd.join(''), { mode: 0o644 });
      await writeFile(join(folder, 'etc-shadow'), shadow.join(''), { mode: 0o600 });
      await chown(spool, 0, group);
      await chmod(spool, 0o1777);
      await served.start();
    });
    after(async () => {
      assert.equal(await served.end(), 0);
    });

    test('read and delete their mail with the passwords that they have there', async () => {
      for (const user of [alice, bob]) await served.deliverForMail(user, mboxOf(plainMail), group);
      for (const user of [alice, bob]) {
        const client = await served.logIn(user);
        assert.ok((await client.askOctets('RETR 2')).equals(onWire(plainMail[1]?.octets ?? Buffer.alloc(0))));
        await client.ask('DELE 1');
        await client.quit();
        assert.equal(await served.site.mailOf(user), mboxOf(plainMail.slice(1)).toString('latin1'));
      }
    });

    const own = (): string => served.site.mboxOf(alice);
    const bobs = (): string => served.site.mboxOf(bob);
    const tricks: Readonly<Record<string, () => Promise<unknown>>> = {
      'a symbolic link to it': async () => {
        await symlink(bobs(), own());
        await lchown(own(), alice.uid, alice.gid);
      },
      'a symbolic link to the password file': () => symlink(join(served.site.folder, 'etc-shadow'), own()),
      'another name of it': () => link(bobs(), own()),
      'a file of his': async () => {
        await writeFile(own(), mailOfBob);
        await chown(own(), bob.uid, bob.gid);
      },
      'a pipe': async () => {
        spawnSync('mkfifo', [own()]);
        await chown(own(), alice.uid, alice.gid);
      },
      'a folder': async () => {
        await mkdir(own());
        await chown(own(), alice.uid, alice.gid);
      },
      nothing: async () => {},
    };

    for (const [what, play] of Object.entries(tricks)) {
      test(`get nothing of a neighbour's where their own mail would be there is ${what}`, async () => {
        await served.deliverForMail(bob, mailOfBob, group);
        await rm(own(), { recursive: true, force: true });
        await play();
        const { client, answer } = await served.tryToLogIn(alice);
        if (answer.startsWith('+OK')) {
          assert.match(await client.ask('STAT'), /^\+OK 0 0/);
          await client.quit();
        }
        client.destroy();
        assert.equal(answer.startsWith('+OK'), what === 'nothing');
        assert.doesNotMatch(answer, new RegExp(secret));
        await rm(own(), { recursive: true, force: true });
        assert.ok((await readFile(bobs())).equals(mailOfBob));
        const hisOwn = await served.logIn(bob);
        assert.match(String(await hisOwn.askOctets('RETR 1')), new RegExp(secret));
        await hisOwn.quit();
      });
    }

    test('have somebody else let in, by a name that no file has: he has no mail', async () => {
      const { client, answer } = await served.tryToLogIn({ name: 'carol' });
      assert.match(answer, /^\+OK/);
      assert.equal(await client.ask('STAT'), '+OK 0 0');
      await client.quit();
    });

    for (const name of ['../bob', 'alice/../bob', './bob', 'bob/', '/bob', 'bob\0', '.', '..', '-f']) {
      test(`get in by no name that leads elsewhere: ${JSON.stringify(name)}`, async () => {
        const { client, answer } = await served
          .tryToLogIn({ name })
          .catch(() => ({ client: undefined, answer: '-ERR' }));
        assert.match(answer, /^-ERR/);
        client?.destroy();
      });
    }
  },
);
