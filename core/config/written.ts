import { extname } from 'node:path';

/** How a file writes its values. */
type Language = 'json' | 'yaml' | 'script';

const languages: ReadonlyMap<string, Language> = new Map([
  ['.json', 'json'],
  ['.yaml', 'yaml'],
  ['.yml', 'yaml'],
]);

const languageOf = (file: string): Language => languages.get(extname(file)) ?? 'script';

/** Whether the file is data and not code. */
export const isData = (file: string): boolean => languageOf(file) !== 'script';

/** `port: 110`, or `"port": 110`: a key with its value, as this file writes them. */
export const writtenPair = (key: string, value: unknown, file: string): string =>
  pair(key, value, languageOf(file));

/** A value of strings, numbers, booleans, lists and objects, as this file writes it. */
export const written = (value: unknown, file: string): string => literal(value, languageOf(file));

const pair = (key: string, value: unknown, language: Language): string =>
  `${language === 'json' ? JSON.stringify(key) : key}: ${literal(value, language)}`;

function literal(value: unknown, language: Language): string {
  if (typeof value === 'string') return text(value, language);
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, language)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => pair(key, inner, language));
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

function text(value: string, language: Language): string {
  if (language === 'json') return JSON.stringify(value);
  return language === 'yaml' && /^[\w/.-]+$/.test(value) ? value : `'${value}'`;
}
