import type { Document, YAMLError } from 'yaml';

import type { ConfigProblem } from './problem.ts';
import { withoutSecrets } from './render-problem.ts';
import { placeOf, type Source } from './source.ts';

/** A key that stands twice leaves the file readable. */
export const isTwiceThere = ({ code }: YAMLError): boolean => code === 'DUPLICATE_KEY';

/** The first thing that keeps the file from being YAML, or makes it something else than it seems. */
export function yamlSyntaxProblem(
  { errors, warnings }: Document.Parsed,
  source: Source,
): ConfigProblem | undefined {
  const [first] = [...errors.filter((error) => !isTwiceThere(error)), ...warnings];
  if (first === undefined) return undefined;
  const {
    message,
    pos: [start, end],
  } = first;
  const what = message.charAt(0).toLowerCase() + message.slice(1);
  return { source, span: { start, end }, what, fix: fixOf(first, source) };
}

function fixOf({ code, pos: [start] }: YAMLError, { text }: Source): string {
  const unquoted = unquotedBraces(withoutSecrets(lineOf(text, start)));
  if (unquoted !== undefined) return `quote values that hold { }: '${unquoted}'`;
  return fixes.get(code) ?? 'close what is open above, be it [, { or a quote, and indent as the lines around';
}

const fixes: ReadonlyMap<YAMLError['code'], string> = new Map([
  ['TAB_AS_INDENT', 'indent with spaces'],
  ['BAD_INDENT', 'close the [ or { that is open above, or indent this line like its neighbours'],
  ['MISSING_CHAR', 'write what is missing, or quote the value'],
  ['BAD_SCALAR_START', "quote the value: '...'"],
  ['BLOCK_AS_IMPLICIT_KEY', "write each key on a line of its own, and quote values that hold ': '"],
  ['TAG_RESOLVE_FAILED', "quote the value: '...'"],
] as const);

/** A template such as `/srv/mail/{user}` that no quotes keep together; the key before it is not meant. */
const unquotedBraces = (line: string): string | undefined =>
  /(?:^|[\s,[{])([^\s,[\]{}'":]+\{\w*\}[^\s,[\]{}'":]*)/.exec(withoutQuoted(line))?.[1] ??
  /:\s+(\{\w+\}\/[^\s,[\]{}'":]*)/.exec(withoutQuoted(line))?.[1];

const withoutQuoted = (line: string): string => line.replaceAll(/'[^']*'|"[^"]*"/g, '');

function lineOf(text: string, offset: number): string {
  const { line } = placeOf(text, offset);
  return text.split('\n')[line - 1] ?? '';
}
