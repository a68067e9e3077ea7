import { readFileSync } from 'node:fs';

import { defineCommand, definePlugin, ok } from 'popperd';
import { z } from 'zod';

/**
 * Tries to read these files in every process, as somebody would who has taken it over, and tells the log what it could. X-LOOK
 * tells a client who serves him, and what is known of him there.
 */
export default definePlugin({
  name: 'burglar',
  options: z.strictObject({ files: z.record(z.string(), z.string()) }),

  apply({ hooks, commands, log }, { files }) {
    commands.add(look);
    hooks.start.tapPromise('burglar', async (role) => {
      const opened = Object.keys(files).filter((name) => canRead(files[name] ?? ''));
      const ids = [process.geteuid?.(), process.getegid?.(), process.getgroups?.()];
      log.info('a burglary', { role, ids, opened });
    });
    hooks.recover.tapPromise('burglar', async (uid) => log.info('recovering', { uid }));
    hooks.sessionEnd.tapPromise('burglar', async ({ id }) => log.info('told of an end', { id }));
  },
});

const look = defineCommand({
  keyword: 'X-LOOK',
  states: ['TRANSACTION'],
  usage: 'X-LOOK',
  parse: () => undefined,
  run: (_none, { secure, tls, peer, local }) =>
    ok(JSON.stringify({ uid: process.geteuid?.(), secure, tls, peer, local })),
});

function canRead(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
