import { defaultSettings } from '../settings.ts';
import type { Path } from './source.ts';
import { isData, written, writtenPair } from './written.ts';

/** A value that can stand there, and whether leaving it out is as good. */
interface Example {
  readonly value: unknown;
  readonly ifLeftOut?: 'is the default' | 'is allowed';
}

const needed = (value: unknown): Example => ({ value });
const byDefault = (value: unknown): Example => ({ value, ifLeftOut: 'is the default' });
const optional = (value: unknown): Example => ({ value, ifLeftOut: 'is allowed' });
const allByDefault = (prefix: string, values: object): readonly (readonly [string, Example])[] =>
  Object.entries(values).map(([key, value]) => [`${prefix}${key}`, byDefault(value)]);

const { limits, workers, ...settings } = defaultSettings;
const certificate = { certificate: '/etc/popper/fullchain.pem', key: '/etc/popper/privkey.pem' };
const networks = ['10.0.0.0/8'];

/** By the key's name, in which `[]` stands for any entry of a list. */
const examples: ReadonlyMap<string, Example> = new Map<string, Example>([
  ...allByDefault('', settings),
  ['listen', needed([{ port: 110 }])],
  ['listen[]', needed({ port: 110 })],
  ['listen[].host', optional('127.0.0.1')],
  ['listen[].port', needed(110)],
  ['listen[].tls', optional(true)],
  ['listen[].path', needed('/run/popper.sock')],
  ['listen[].mode', optional('0660')],
  ['listen[].inherited', needed('pop3')],
  ['listen[].proxy', optional({ from: networks })],
  ['listen[].proxy.from', needed(networks)],
  ['listen[].proxy.from[]', needed(networks[0])],
  ['stateDir', needed('/var/lib/popper')],
  ['control', optional({ path: '/run/popper/control.sock' })],
  ['control.path', optional('/run/popper/control.sock')],
  ['control.mode', optional('0660')],
  ['control.group', optional('adm')],
  ['tls', optional(certificate)],
  ['tls.certificate', needed(certificate.certificate)],
  ['tls.key', needed(certificate.key)],
  ['tls.minVersion', byDefault('TLSv1.2')],
  ['limits', optional({ connections: limits.connections })],
  ...allByDefault('limits.', limits),
  ['limits.connectionsPerNetwork', optional(1000)],
  ['log', optional({ level: 'info' })],
  ['log.level', byDefault('info')],
  ['log.format', byDefault('auto')],
  ['workers', optional({ maxUsers: workers.maxUsers })],
  ...allByDefault('workers.', workers),
]);

/** What can be written at the path, in the language of the file: for whoever wrote something else, or nothing. */
export function fixByExample(path: Path, file: string): string {
  if (path.length === 0) return `write ${written(wholeConfig, file)}`;
  if (path[0] === 'plugins') return `write plugins: ${pluginsIn(file)}`;
  const { value, ifLeftOut } = examples.get(nameOf(path)) ?? unknown;
  const key = path.at(-1);
  const text = typeof key === 'string' ? writtenPair(key, value, file) : written(value, file);
  if (ifLeftOut === undefined) return `write ${text}`;
  return ifLeftOut === 'is allowed'
    ? `write ${text}, or leave it out`
    : `write ${text}, the default, or leave it out`;
}

const wholeConfig = { listen: [{ port: 110 }], stateDir: '/var/lib/popper', plugins: [] };

const pluginsIn = (file: string): string =>
  isData(file)
    ? written([['store-mbox', { spool: '/srv/mail/{user}' }]], file)
    : "[storeMbox({ spool: '/srv/mail/{user}' })], with what a plugin's package exports by default";

/** Every key that the schema knows has an example, which a test sees to. */
export const hasExample = (path: Path): boolean => examples.has(nameOf(path));

const unknown = optional('...');

const nameOf = (path: Path): string =>
  path
    .map((step) => (typeof step === 'number' ? '[]' : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
