import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { serverOf } from './testing/system.ts';

const tools = ['/usr/sbin/useradd', '/usr/sbin/chpasswd', '/usr/sbin/usermod', '/usr/bin/chage'];

function skipped(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to make users of the system and to read /etc/shadow';
  const missing = tools.filter((tool) => !existsSync(tool));
  return missing.length > 0 && `needs ${missing.join(', ')} (Debian package passwd)`;
}

/** A user of this system for as long as the test lasts, with a password hashed by this method. */
function makeUser(
  t: TestContext,
  { method, password }: Readonly<Record<'method' | 'password', string>>,
): string {
  const user = `popper-${method.toLowerCase()}-${process.pid}`;
  execFileSync('/usr/sbin/useradd', ['--no-create-home', '--no-user-group', user]);
  t.after(() => execFileSync('/usr/sbin/userdel', [user]));
  execFileSync('/usr/sbin/chpasswd', ['--crypt-method', method], { input: `${user}:${password}\n` });
  return user;
}

for (const method of ['YESCRYPT', 'SHA512']) {
  test(
    `a user of this system whose password is hashed by ${method} logs in until he is locked or expires`,
    {
      skip: skipped(),
    },
    async (t) => {
      const user = makeUser(t, { method, password: 'a pass phrase' });
      const { login, opened } = serverOf(t, {});
      assert.match(await login(user, 'another'), /^-ERR \[AUTH\]/);
      assert.match(await login(user, 'a pass phrase'), /^\+OK/);
      const uid = Number(execFileSync('id', ['-u', user], { encoding: 'utf8' }));
      assert.deepEqual(
        opened.map((identity) => [identity.user, identity.uid, identity.home]),
        [[user, uid, `/home/${user}`]],
      );
      await change('/usr/sbin/usermod', ['--lock', user]);
      assert.match(await login(user, 'a pass phrase'), /^-ERR \[AUTH\]/);
      await change('/usr/sbin/usermod', ['--unlock', user]);
      assert.match(await login(user, 'a pass phrase'), /^\+OK/);
      await change('/usr/bin/chage', ['--expiredate', '1', user]);
      assert.match(await login(user, 'a pass phrase'), /^-ERR \[AUTH\]/);
    },
  );
}

/** Accounts may be some milliseconds old, as auth-passwd's `ParsedFile` says. */
async function change(program: string, words: readonly string[]): Promise<void> {
  execFileSync(program, words);
  await delay(50);
}
