import { readFile } from 'node:fs/promises';

import type { Plugin } from '../plugin/plugin.ts';
import { WireEncoder } from '../protocol/wire-encoder.ts';
import type { Segment } from './client.ts';
import { memoryHost } from './memory-host.ts';
import { MemoryMaildrop } from './memory-maildrop.ts';
import { parseTranscript, type Step, type Transcript } from './parse-transcript.ts';
import { linesOf, TestServer } from './test-server.ts';

/**
 * Runs a session as it was written down (a text, or the URL of a file) against these plugins and a host with the
 * transcript's user and messages. Throws an Error that shows the first difference.
 */
export async function transcript(source: string | URL, plugins: readonly Plugin[] = []): Promise<void> {
  const written = parseTranscript(typeof source === 'string' ? source : await readFile(source, 'utf8'));
  const maildrop = new MemoryMaildrop(written.messages);
  const host = memoryHost(maildrop, { [written.user]: written.password });
  const server = new TestServer([...plugins, host]);
  try {
    const client = new WrittenClient(written.steps);
    const { turns } = await server.record(client);
    compare(written, heardBetween(turns), client.wasAskedForMore);
    compareKept(written, maildrop);
  } finally {
    await server.stop();
  }
}

/** Says its lines one segment after the other: lines with no answer between them are one. */
class WrittenClient implements Iterable<Segment> {
  readonly #steps: readonly Step[];
  wasAskedForMore = false;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  *[Symbol.iterator](): Generator<Segment> {
    for (const { said } of exchangesOf(this.#steps)) {
      if (said.length > 0) yield Buffer.concat(said.map(({ octets }) => octets));
    }
    this.wasAskedForMore = true;
  }
}

type Said = Extract<Step, { kind: 'client' }>;
type Wanted = Exclude<Step, { kind: 'client' }>;

/** What the client says in one go, and what is to come back. */
interface Exchange {
  readonly said: Said[];
  readonly wanted: Wanted[];
}

function exchangesOf(steps: readonly Step[]): readonly Exchange[] {
  const exchanges: Exchange[] = [{ said: [], wanted: [] }];
  let current = exchanges[0];
  for (const step of steps) {
    if (step.kind !== 'client') current?.wanted.push(step);
    else if (current?.wanted.length === 0 && current.said.length > 0) current.said.push(step);
    else exchanges.push((current = { said: [step], wanted: [] }));
  }
  return exchanges;
}

/** What the server said before the client's first segment, between it and the second, and so on. */
function heardBetween(
  turns: readonly { readonly by: string; readonly octets: Uint8Array }[],
): readonly (readonly string[])[] {
  const heard: Uint8Array[][] = [[]];
  for (const { by, octets } of turns) {
    if (by === 'client') heard.push([]);
    else heard.at(-1)?.push(octets);
  }
  return heard.map((pieces) => linesOf(Buffer.concat(pieces)));
}

function compare(
  written: Transcript,
  heard: readonly (readonly string[])[],
  wasAskedForMore: boolean,
): void {
  for (const [index, { said, wanted }] of exchangesOf(written.steps).entries()) {
    const lines = heard[index];
    if (lines === undefined) throw difference(said, [], { got: 'the server has closed' });
    compareExchange(written, { said, wanted }, lines);
  }
  const closes = written.steps.find(({ kind }) => kind === 'server closes');
  if (closes !== undefined && wasAskedForMore) {
    throw new Error(`line ${closes.lineNumber} of the transcript: the server did not close`);
  }
}

function compareExchange(written: Transcript, { said, wanted }: Exchange, lines: readonly string[]): void {
  let heard = 0;
  for (const step of wanted) {
    if (step.kind !== 'server') continue;
    for (const matches of matchersOf(step.pattern, written)) {
      const line = lines[heard];
      if (line === undefined || !matches(line)) {
        throw difference(said, lines.slice(0, heard), { wanted: step, got: line ?? 'nothing' });
      }
      heard += 1;
    }
  }
  const more = lines[heard];
  if (more !== undefined) throw difference(said, lines.slice(0, heard), { got: more });
}

type Matches = (line: string) => boolean;

/** `/a regular expression/`, `<message 1>` for all its lines on the wire, or text in which `<any>` stands for anything. */
function matchersOf(pattern: string, { messages }: Transcript): readonly Matches[] {
  const number = /^<message ([1-9][0-9]*)>$/.exec(pattern)?.[1];
  if (number !== undefined) {
    const lines = wireLinesOf(new MemoryMaildrop(messages).read(Number(number) - 1).next());
    return lines;
  }
  const [, source] = /^\/(.*)\/$/.exec(pattern) ?? [];
  const expression = new RegExp(source === undefined ? literally(pattern) : `^(?:${source})$`);
  return [(line) => expression.test(line)];
}
