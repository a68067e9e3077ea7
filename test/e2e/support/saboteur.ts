import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { defineCommand, definePlugin, ok } from 'popperd';
import { z } from 'zod';

/**
 * Tells each client which process serves it, and has commands that do to this process what a broken plugin does, and so does
 * the login of a user of that name, whom nobody else knows. `text` stands in the greeting; `broken` keeps the daemon from
 * starting, and so does the want of a file that it `needs`; `leaks` keeps it from going on, and `hangs` from either; `exits` ends the process.
 * With a `role`, only processes of this one.
 */
export default definePlugin({
  name: 'saboteur',
  options: z.strictObject({
    text: z.string().default('popper'),
    broken: z.string().optional(),
    needs: z.string().optional(),
    leaks: z.boolean().default(false),
    hangs: z.boolean().default(false),
    exits: z.boolean().default(false),
    role: z.string().optional(),
  }),

  apply({ hooks, commands, log, baseFolder }, { text, broken, needs, leaks, hangs, exits, role: only }) {
    hooks.start.tapPromise('saboteur', async (role) => {
      log.info('sabotage begins', { role });
      if (only !== undefined && role !== only) return;
      if (leaks) acts['X-LEAK']?.();
      if (exits) acts['X-EXIT']?.();
      if (hangs) await new Promise(() => {});
      if (broken !== undefined) throw new Error(broken);
      if (needs !== undefined) await access(resolve(baseFolder, needs));
    });
    hooks.recover.tapPromise('saboteur', async (uid) => log.info('recovering', { uid }));
    hooks.listening.tapPromise('saboteur', async (addresses) => log.info('announced', { addresses }));
    hooks.authenticate.tapPromise('saboteur', async ({ user }) => {
      acts[user]?.();
      return undefined;
    });
    hooks.greeting.tap('saboteur', () => `${text} ${process.pid}`);
    for (const [keyword, act] of Object.entries(acts)) commands.add(sabotage(keyword, act));
  },
});

const acts: { readonly [keyword: string]: () => void } = {
  'X-THROW': () => {
    throw new Error('a fault');
  },
  'X-BLOCK': () => {
    for (;;);
  },
  'X-PAUSE': () => {
    const untilMs = performance.now() + 400;
    while (performance.now() < untilMs);
  },
  'X-EXIT': () => process.exit(0),
  'X-LEAK': () => void delay(1).then(() => Promise.reject(new Error('a leak'))),
};

const sabotage = (keyword: string, act: () => void) =>
  defineCommand({
    keyword,
    states: ['AUTHORIZATION', 'TRANSACTION'],
    usage: keyword,
    parse: () => undefined,
    run() {
      act();
      return ok();
    },
  });
