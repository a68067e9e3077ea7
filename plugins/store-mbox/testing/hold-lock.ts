// Locks a mailbox, says so, and holds it until it is killed: node hold-lock.ts MAILBOX FOLDER-OF-NOTES

import { realFiles } from '../commit/index.ts';
import { lockMailbox } from '../mailbox-lock.ts';
import { OwnHand } from '../own-hand.ts';

const [path = '', folder = ''] = process.argv.slice(2);
const trust = { owner: process.getuid?.() ?? 0, mailGroup: undefined };
const ownHand = new OwnHand({ files: realFiles, staleDotlockMs: 300_000, noteFolder: async () => folder });
await lockMailbox(path, trust, {
  files: realFiles,
  lockMethods: ['dotlock', 'fcntl'],
  lockTimeoutMs: 1000,
  staleDotlockMs: 300_000,
  onForbidden: () => {},
  tryDotlock: (of) => ownHand.tryLock(of),
});
process.stdout.write('locked\n');
process.stdin.resume();
