// Writes the manual pages anew: npm run man
import { writeFileSync } from 'node:fs';

import { manPages } from '../cli/manual/man-pages.ts';

const { stdin, stdout, stderr } = process;
const io = { stdin, stdout, stderr, workingFolder: process.cwd(), otherFolders: [] };
for (const [name, page] of manPages(io)) {
  writeFileSync(new URL(name, import.meta.url), page);
}
