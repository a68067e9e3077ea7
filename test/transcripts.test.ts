import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { transcript } from 'popperd/testing';

const folder = new URL('./transcripts/', import.meta.url);

for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
  const source = readFileSync(new URL(name, folder), 'utf8');
  const title = /^# (.+)$/m.exec(source)?.[1] ?? name;
  test(`${title} (${name})`, () => transcript(source));
}
