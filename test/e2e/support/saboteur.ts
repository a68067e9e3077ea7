import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { defineCommand, definePlugin, ok } from 'popperd';
import { z } from 'zod';

/**
 * Tells each client which process serves it, and has commands that do to this process what a broken plugin does, and so does
 * the login of a user of that name, whom nobody else knows. `text` stands in the greeting. `atStart` does one of these as the process
 * starts; `broken` keeps it from starting, and so does the want of a file that it `needs`. With a `role`, only processes of this one.
 */
export default definePlugin({
  name: 'saboteur',
  options: z.strictObject({
    text: z.string().default('popper'),
    atStart: z.string().optional(),
    broken: z.string().optional(),
    needs: z.string().optional(),
    role: z.string().optional(),
    laterMs: z.int().default(50),
  }),

  apply({ hooks, commands, log, baseFolder }, { text, atStart = '', broken, needs, role: only, laterMs }) {
    const acts = actsOf(laterMs);
    hooks.start.tapPromise('saboteur', async (role) => {
      log.info('sabotage begins', { role });
      if (only !== undefined && role !== only) return;
      await acts[atStart]?.();
      if (broken !== undefined) throw new Error(broken);
      if (needs !== undefined) await access(resolve(baseFolder, needs));
    });
    hooks.recover.tapPromise('saboteur', async (uid) => log.info('recovering', { uid }));
    hooks.listening.tapPromise('saboteur', async (addresses) => log.info('announced', { addresses }));
    hooks.authenticate.tapPromise('saboteur', async ({ user }) => {
      void acts[user]?.();
      return undefined;
    });
    hooks.greeting.tap('saboteur', () => `${text} ${process.pid}`);
    for (const [keyword, act] of Object.entries(acts)) commands.add(sabotage(keyword, act));
  },
});

type Act = () => unknown;

const actsOf = (laterMs: number): { readonly [keyword: string]: Act } => ({
  'X-THROW': () => {
    throw new Error('a fault');
  },
  'X-BLOCK': block,
  'X-LATER': () => void setTimeout(block, laterMs).unref(),
  'X-PAUSE': () => {
    const untilMs = performance.now() + 400;
    while (performance.now() < untilMs);
  },
  'X-EXIT': () => process.exit(0),
  'X-LEAK': () => void delay(1).then(() => Promise.reject(new Error('a leak'))),
  'X-HANG': () => new Promise(() => {}),
});

function block(): never {
  for (;;);
}

const sabotage = (keyword: string, act: Act) =>
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
