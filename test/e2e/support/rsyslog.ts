import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const patienceMs = 30_000;

/** A syslog of this machine: a socket as /dev/log is one, a TCP port, and two files of what came. */
export class Rsyslog {
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.#folder = join(folder, 'rsyslog');
  }

  get socket(): string {
    return join(this.#folder, 'log');
  }

  /** As lines of a log are on most systems. */
  get file(): string {
    return join(this.#folder, 'popper.log');
  }

  /** Resolves when it can be written to. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const config = join(this.#folder, 'rsyslog.conf');
    await writeFile(config, this.#config());
    const files = ['-f', config, '-i', join(this.#folder, 'pid')];
    this.#child = spawn('rsyslogd', ['-n', ...files], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    });
    await this.#until(async () => (await this.port()) > 0, 'its port');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  async port(): Promise<number> {
    return Number(await this.#read('port'));
  }

  /** Each as `facility.severity tag structured-data: text`. */
  async lines(): Promise<readonly string[]> {
    return (await this.#read('lines')).split('\n').slice(0, -1);
  }

  /** Waits for a line; gives all that are there then. */
  async with(wanted: RegExp): Promise<readonly string[]> {
    await this.#until(async () => (await this.lines()).some((line) => wanted.test(line)), String(wanted));
    return this.lines();
  }

  async #until(isSo: () => Promise<boolean>, what: string): Promise<void> {
    for (const endMs = performance.now() + patienceMs; !(await isSo()); await delay(20))
      if (performance.now() > endMs)
        throw new Error(`rsyslogd has not shown ${what}: ${await this.#read('lines')}`);
  }

  #read(name: string): Promise<string> {
    return readFile(join(this.#folder, name), 'utf8').catch(() => '');
  }

  #config(): string {
    const lines =
      '%syslogfacility-text%.%syslogseverity-text% %programname% %structured-data%:%msg:::sp-if-no-1st-sp%%msg%\\n';
    return [
      `global(workDirectory="${this.#folder}")`,
      'module(load="imuxsock" SysSock.Use="off")',
      'module(load="imtcp")',
      `input(type="imuxsock" Socket="${this.socket}" RateLimit.Interval="0")`,
      `input(type="imtcp" port="0" listenPortFileName="${join(this.#folder, 'port')}")`,
      `template(name="lines" type="string" string="${lines}")`,
      `*.* action(type="omfile" file="${join(this.#folder, 'lines')}" template="lines")`,
      `local0.notice action(type="omfile" file="${this.file}" template="RSYSLOG_TraditionalFileFormat")`,
      '',
    ].join('\n');
  }
}
