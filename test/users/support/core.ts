import { readFile } from 'node:fs/promises';

import storeMbox from 'popper-plugin-store-mbox';
import { defineCommand, definePlugin, denied, err, granted, ok } from 'popperd';
import { z } from 'zod';

import { type Core, createCore } from '../../../core/core.ts';
import { createLogger } from '../../../core/log/pino-log.ts';
import { State } from '../../../core/server/state.ts';
import { defaultSettings, type Settings } from '../../../core/settings.ts';
import { users } from './site.ts';

/** What every process of the test's daemon has loaded. */
export function coreOf(stateDir: string, spool: string): Core {
  const settings: Settings = { ...defaultSettings, stateDir, listen: [{ port: 0 }] };
  const log = createLogger({ level: 'error', format: 'json', stream: process.stderr });
  const plugins = [passwords(), reader(), storeMbox({ spool: `${spool}/{user}`, staleDotlockMs: 60_000 })];
  return createCore(plugins, { settings, log, state: new State(stateDir), baseFolder: '/' });
}

const passwords = definePlugin({
  name: 'passwords',
  options: z.strictObject({}),
  apply(popper) {
    popper.hooks.authenticate.tapPromise('passwords', async ({ user: name, password }, session) => {
      const user = users.find((one) => one.name === name);
      if (user === undefined) return undefined;
      if (Buffer.from(password.reveal()).toString() !== user.password) return denied('wrong password');
      where.set(session, { pid: process.pid });
      return granted({ user: user.name, uid: user.uid, gid: user.gid, home: `/home/${user.name}` });
    });
    const where = popper.facts.add({ name: 'checked-by', schema: z.object({ pid: z.int() }) });
    popper.commands.add(
      defineCommand({
        keyword: 'XWHO',
        states: ['TRANSACTION'],
        usage: 'XWHO',
        parse: () => undefined,
        run: (_none, session) => {
          const ids = [process.geteuid?.(), process.getegid?.(), process.getgroups?.()];
          const { id, peer } = session;
          return ok(JSON.stringify({ ids, id, peer, checkedBy: where.get(session)?.pid, pid: process.pid }));
        },
      }),
    );
  },
});

/** What somebody would do who has taken over the process of his own session. */
const reader = definePlugin({
  name: 'reader',
  options: z.strictObject({}),
  apply(popper) {
    popper.commands.add(
      defineCommand({
        keyword: 'XREAD',
        states: ['TRANSACTION'],
        usage: 'XREAD file',
        parse: (args) => args.rest(),
        run: (file) =>
          readFile(file).then(
            () => ok('read'),
            (error: unknown) =>
              err(error instanceof Error && 'code' in error ? String(error.code) : 'failed'),
          ),
      }),
    );
  },
});
