import { readFile } from 'node:fs/promises';

import type { Plugin } from '../plugin/plugin.ts';
import type { Segment } from './client.ts';
import { compareTranscript, exchangesOf } from './compare-transcript.ts';
import { memoryHost } from './memory-host.ts';
import { MemoryMaildrop } from './memory-maildrop.ts';
import { parseTranscript, type Transcript } from './parse-transcript.ts';
import { TestServer } from './test-server.ts';

/** What the server is called in transcripts. */
const hostname = 'pop.example.org';

/**
 * Runs a session as it was written down (a text, or the URL of a file) against these plugins and a host with the
 * transcript's user and messages. Throws an Error that shows the first difference.
 */
export async function transcript(source: string | URL, plugins: readonly Plugin[] = []): Promise<void> {
  const written = parseTranscript(typeof source === 'string' ? source : await readFile(source, 'utf8'));
  const maildrop = new MemoryMaildrop(written.messages);
  const host = memoryHost(maildrop, { [written.user]: written.password });
  const server = new TestServer([...plugins, host], { settings: { replies: written.replies, hostname } });
  try {
    const client = new WrittenClient(written);
    const { turns } = await server.record(client);
    compareTranscript(written, turns, client.wasAskedForMore);
    compareKept(written, maildrop);
  } finally {
    await server.stop();
  }
}

/** Says what was written: lines with no answer between them go in one segment. */
class WrittenClient implements Iterable<Segment> {
  readonly #written: Transcript;
  /** True once the server has waited for more than there was. */
  wasAskedForMore = false;

  constructor(written: Transcript) {
    this.#written = written;
  }

  *[Symbol.iterator](): Generator<Segment> {
    for (const { said } of exchangesOf(this.#written.steps)) {
      if (said.length > 0) yield Buffer.concat(said.map(({ octets }) => octets));
    }
    this.wasAskedForMore = true;
  }
}

function compareKept({ kept, messages }: Transcript, maildrop: MemoryMaildrop): void {
  if (kept === undefined) return;
  const left = maildrop.keptUids();
  const numbers = messages.flatMap(({ uid }, index) => (left.includes(uid) ? [index + 1] : []));
  if (numbers.join(' ') === kept.join(' ')) return;
  throw new Error(`after the session there are to be messages ${show(kept)}, and there are ${show(numbers)}`);
}

const show = (numbers: readonly number[]): string => numbers.join(' ') || 'none';
