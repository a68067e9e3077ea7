import { messageOf } from '../config/error-facts.ts';
import { nameOf } from '../config/render-problem.ts';
import { createLogger } from '../log/pino-log.ts';
import {
  type CheckupOfAll,
  KnownUsers,
  LooksAsOthers,
  type WhoServes,
  whoServes,
} from '../plugin/checkup.ts';
import { adviceOnConfig, adviceOnCore } from './advice.ts';
import { checkProcesses } from './check-processes.ts';
import { checkSurroundings } from './check-surroundings.ts';
import { checkTls } from './check-tls.ts';
import { accountsOf, actingWith, checkUids, checkUsers } from './check-users.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configure, type NamedConfig } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { count, explain } from './explain.ts';

/**
 * `popper check`: everything that can be known of a config without serving anybody. Ends with 0 where it is in order, 1
 * where it has problems, 2 where there is none to check.
 */
export async function check(named: NamedConfig, io: CliIo): Promise<number> {
  const { stdout, stderr, workingFolder, otherFolders } = io;
  try {
    const configured = await configure({
      ...named,
      workingFolder,
      otherFolders,
      openLog: () => createLogger({ level: 'warn', format: 'auto', stream: stderr }),
    });
    return await examine(configured, io);
  } catch (error) {
    return explain(error, stdout, workingFolder);
  }
}

async function examine({ config, core }: Configured, { stdout, workingFolder }: CliIo): Promise<number> {
  const name = nameOf(config.file, workingFolder);
  const accounts = accountsOf(config.settings);
  const report = new Report(
    (line) => void stdout.write(`${line}\n`),
    whoServes(config.settings, accounts.auth),
  );
  for (const { what, fix } of [...adviceOnConfig(config, workingFolder), ...adviceOnCore(core)]) {
    report.warning(what, fix);
  }
  await checkTls(config.settings, report);
  checkUsers(config, report);
  await checkSurroundings(config.settings, report);
  await checkProcesses(config, accounts, report);
  report.withUsers(async (users) => checkUids(users, config.settings, report), 'popper');
  await core.hooks.check.promise(report).catch((error: unknown) => report.failed(error));
  await report.users.lookAtAll((error, plugin) => report.failed(error, plugin));
  report.others.lookAtAll(
    (who, look) => actingWith(accounts[who], look),
    (error, plugin) => report.failed(error, plugin),
  );
  stdout.write(`${name}: ${report.verdict}\n`);
  return report.problems === 0 ? exitCode.done : exitCode.problems;
}

/** Writes down what is found as it is found. */
class Report implements CheckupOfAll {
  readonly users = new KnownUsers();
  readonly canLogIn = this.users.canLogIn;
  readonly withUsers = this.users.withUsers;
  readonly others = new LooksAsOthers();
  readonly actAs = this.others.actAs;
  readonly isolation: WhoServes['isolation'];
  readonly frontUser: WhoServes['frontUser'];
  readonly authUser: WhoServes['authUser'];
  readonly #write: (line: string) => void;
  #problems = 0;
  #warnings = 0;

  constructor(write: (line: string) => void, { isolation, frontUser, authUser }: WhoServes) {
    this.#write = write;
    this.isolation = isolation;
    this.frontUser = frontUser;
    this.authUser = authUser;
  }

  get problems(): number {
    return this.#problems;
  }

  get verdict(): string {
    const warned = this.#warnings === 0 ? '' : `, ${count(this.#warnings, 'warning')}`;
    return `${this.#problems === 0 ? 'in order' : count(this.#problems, 'problem')}${warned}`;
  }

  /** `plugin` is left out where popper itself found it. */
  fine(what: string, plugin?: string): void {
    this.#write(`ok: ${by(plugin)}${what}`);
  }

  warning(what: string, fix: string, plugin?: string): void {
    this.#warnings += 1;
    this.#write(`warning: ${by(plugin)}${what}\n  fix: ${fix}`);
  }

  problem(what: string, fix: string, plugin?: string): void {
    this.#problems += 1;
    this.#write(`problem: ${by(plugin)}${what}\n  fix: ${fix}`);
  }

  /** A plugin's own look ended in an error, which may have its name in it. */
  failed(error: unknown, plugin?: string): void {
    this.problem(messageOf(error), 'report it to the author of the plugin', plugin);
  }
}

const by = (plugin: string | undefined): string => (plugin === undefined ? '' : `${plugin}: `);
