import type { Source, Span } from './source.ts';

/** What to write where a TypeScript or JavaScript config cannot be parsed. */
export function fixOfSyntax(message: string, { text }: Source, span: Span): string {
  const kind = /^TypeScript (.+?) is not supported/.exec(message)?.[1];
  if (kind !== undefined)
    return stripped.get(kind) ?? 'types are stripped and not compiled: write it in JavaScript';
  return lacksComma(text, span.start)
    ? 'write a comma at the end of the line before'
    : 'close the [, {, ( or quote that is open above, or write the comma that is missing';
}

/** Node takes types away and compiles nothing. */
const stripped: ReadonlyMap<string, string> = new Map([
  ['enum', 'write an object in its place: const Name = { key: value }'],
  ['namespace declaration', 'write its functions and constants without it'],
  ['parameter property', 'declare the field, and assign it in the constructor'],
  ['import equals declaration', "write import name from '...' in its place"],
]);

/** Whether a line has ended, without a comma, just before. */
function lacksComma(text: string, offset: number): boolean {
  const before = text.slice(0, offset);
  return /[^\s,;:=([{|&?+]\s*\n\s*$/.test(before);
}
