import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import xtndXlist from 'popper-plugin-xtnd-xlist';
import xtndXmit from 'popper-plugin-xtnd-xmit';
import { transcript } from 'popperd/testing';

const sent = mkdtempSync(join(tmpdir(), 'popper-sent-'));
after(() => rmSync(sent, { recursive: true }));

const transport = { kind: 'directory', folder: sent } as const;
const plugins = [xtndXlist(), xtndXmit({ transport, domain: 'example.org' })];

for (const folder of ['xtnd-xlist', 'xtnd-xmit']) {
  const place = new URL(`../transcripts/${folder}/`, import.meta.url);
  for (const name of readdirSync(place)) {
    const source = readFileSync(new URL(name, place), 'utf8');
    const title = /^# (.+)$/m.exec(source)?.[1] ?? name;
    test(`${title} (${folder}/${name})`, () => transcript(source, plugins));
  }
}
