// Locks mailboxes, each once the one before it is free again, says so, and holds the last until it is killed:
// node hold-lock.ts FOLDER-OF-NOTES MAILBOX...

import { realFiles } from '../commit/index.ts';
import { lockMailbox } from '../mailbox-lock.ts';
import { OwnHand } from '../own-hand.ts';

const [folder = '', ...paths] = process.argv.slice(2);
const trust = { owner: process.getuid?.() ?? 0, mailGroup: undefined };
const keeping = { maxCount: 1, locksPerSecond: 0 };
const noteFolder = async (): Promise<string> => folder;
const ownHand = new OwnHand({ files: realFiles, staleDotlockMs: 300_000, noteFolder, keeping });
const settings = {
  files: realFiles,
  lockMethods: ['dotlock', 'fcntl'] as const,
  lockTimeoutMs: 1000,
  staleDotlockMs: 300_000,
  onForbidden: () => {},
  tryDotlock: (path: string) => ownHand.tryLock(path),
};
for (const [index, path] of paths.entries()) {
  const locked = await lockMailbox(path, trust, settings);
  if (index < paths.length - 1) await locked?.release();
}
process.stdout.write('locked\n');
process.stdin.resume();
