import { codeOf, messageOf } from './error-facts.ts';

const uid = process.geteuid?.() ?? 0;

/** What to do about something that was thrown while a config ran, told by its words; undefined where they say too little. */
export function fixOfThrown(error: unknown): string | undefined {
  return fixOfSystem(error) ?? fixOfWords(messageOf(error));
}

function fixOfSystem(error: unknown): string | undefined {
  const path = error instanceof Error && 'path' in error ? String(error.path) : 'the file';
  if (codeOf(error) === 'ENOENT') return `put ${path} there, or mend the path`;
  return codeOf(error) === 'EACCES' ? `let uid ${uid} read ${path}` : undefined;
}

function fixOfWords(message: string): string | undefined {
  for (const [form, fix] of forms) {
    const found = form.exec(message);
    if (found) return fix(found[1] ?? '');
  }
  return undefined;
}

const forms: readonly (readonly [form: RegExp, fix: (name: string) => string])[] = [
  [
    /^Cannot read properties of (?:undefined|null) \(reading '(.+)'\)$/,
    (name) => `what stands before .${name} is not there: give it a value, or write ?.${name}`,
  ],
  [/^(\S+) is not defined$/, (name) => `import ${name}, or declare it above`],
  [
    /^(\S+) is not a function$/,
    (name) => `see what ${name} is: a plugin is what its package exports by default`,
  ],
  [/^Cannot access '(.+)' before initialization$/, (name) => `declare ${name} above this line`],
  [/^Assignment to constant variable/, () => 'declare it by let'],
];
