import { WireEncoder } from '../protocol/wire-encoder.ts';
import type { Turn } from './memory-channel.ts';
import type { Step, Transcript } from './parse-transcript.ts';
import { linesOf } from './test-server.ts';

type Said = Extract<Step, { kind: 'client' }>;
type Wanted = Extract<Step, { kind: 'server' }>;

/** What the client says in one go, and what is to come back. */
export interface Exchange {
  readonly said: Said[];
  readonly wanted: Wanted[];
}

/** The first exchange is the greeting, to which the client has said nothing. */
export function exchangesOf(steps: readonly Step[]): readonly Exchange[] {
  let current: Exchange = { said: [], wanted: [] };
  const exchanges = [current];
  for (const step of steps) {
    if (step.kind === 'server') current.wanted.push(step);
    if (step.kind !== 'client') continue;
    if (current.wanted.length > 0 || exchanges.length === 1) {
      current = { said: [], wanted: [] };
      exchanges.push(current);
    }
    current.said.push(step);
  }
  return exchanges;
}

/** Throws an Error that shows the first difference between what was written and what was said. */
export function compareTranscript(
  written: Transcript,
  turns: readonly Turn[],
  serverWantedMore: boolean,
): void {
  const heard = heardBetween(turns);
  for (const [index, exchange] of exchangesOf(written.steps).entries()) {
    compareExchange(exchange, heard[index], written);
  }
  const closes = written.steps.find(({ kind }) => kind === 'server closes');
  if (closes !== undefined && serverWantedMore) {
    throw new Error(`line ${closes.lineNumber} of the transcript: the server did not close the connection`);
  }
}

/** What the server said before the client's first segment, between it and the second, and so on. */
function heardBetween(turns: readonly Turn[]): readonly (readonly string[])[] {
  const heard: Uint8Array[][] = [];
  let current: Uint8Array[] = [];
  for (const { by, octets } of turns) {
    if (by === 'server') current.push(octets);
    else {
      heard.push(current);
      current = [];
    }
  }
  return [...heard, current].map((pieces) => linesOf(Buffer.concat(pieces)));
}

function compareExchange(
  { said, wanted }: Exchange,
  lines: readonly string[] | undefined,
  written: Transcript,
): void {
  const before = said.map(({ shown }) => `  ${shown}`);
  if (lines === undefined) throw difference(said[0], [...before, '+ the server closed before that']);
  let heard = 0;
  for (const step of wanted) {
    for (const matches of matchersOf(step.pattern, written)) {
      const line = lines[heard];
      if (line === undefined || !matches(line)) {
        const so = lines.slice(0, heard).map((good) => `  S: ${good}`);
        throw difference(step, [...before, ...so, `- S: ${step.pattern}`, `+ ${heardLine(line)}`]);
      }
      heard += 1;
    }
  }
  if (lines.length === heard) return;
  throw difference(wanted.at(-1) ?? said[0], [...before, '- nothing more', `+ ${heardLine(lines[heard])}`]);
}

const heardLine = (line: string | undefined): string => (line === undefined ? 'nothing' : `S: ${line}`);

const difference = (step: Step | undefined, lines: readonly string[]): Error =>
  new Error([`line ${step?.lineNumber ?? 1} of the transcript and the server differ:`, ...lines].join('\n'));

type Matches = (line: string) => boolean;

/** `/a regular expression/`, `<message 1>` for all its lines on the wire, or text in which `<any>` stands for anything. */
function matchersOf(pattern: string, { messages }: Transcript): readonly Matches[] {
  const number = /^<message ([1-9][0-9]*)>$/.exec(pattern)?.[1];
  if (number !== undefined) {
    const lines = wireLinesOf(messages[Number(number) - 1]?.text ?? new Uint8Array());
    return lines.map((wanted) => (line) => line === wanted);
  }
  const [, expression] = /^\/(.*)\/$/.exec(pattern) ?? [];
  const matcher = new RegExp(`^(?:${expression ?? pattern.split('<any>').map(literally).join('.*')})$`, 's');
  return [(line) => matcher.test(line)];
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

/** The lines of a message as they cross the wire, the lone dot not among them. */
function wireLinesOf(text: Uint8Array): readonly string[] {
  const encoder = new WireEncoder();
  const target = Buffer.alloc(text.length * 2 + 1);
  const { writtenOctets } = encoder.encodeInto(text, target);
  return linesOf(Buffer.concat([target.subarray(0, writtenOctets), encoder.end()])).slice(0, -1);
}
