import { doesNotMatch, strictEqual as equal, match, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const main = join(import.meta.dirname, 'main.ts');
const shim = join(import.meta.dirname, '..', 'bin', 'popper.js');

let folder = '';
const started: ChildProcess[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-serve-'));
});
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
});
after(() => rm(folder, { recursive: true }));

describe('popper serve', () => {
  it('serves until it is told to stop, and ends with 0', async () => {
    const daemon = await serving(await config('plugins: []'));
    const client = connect(daemon.port, '127.0.0.1');
    match(await firstLineOf(client), /^\+OK /);
    daemon.child.kill('SIGTERM');
    equal(await daemon.ended, 0);
    client.destroy();
  });

  it('leaves the operator without a stack trace where an address is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const child = run(main, ['serve', '-c', await config('plugins: []', port)]);
    const [output, code] = await Promise.all([text(child.stderr), exitOf(child)]);
    match(output, new RegExp(`^popper: cannot start: .*127\\.0\\.0\\.1:${port}`, 'm'));
    ok(!output.includes('    at '));
    equal(code, 1);
    squatter.close();
  });

  it('tells the log what popper check would warn of, and starts no less', async () => {
    const daemon = await serving(await config('plugins: []\nidleTimeoutMs: 1000'));
    daemon.child.kill('SIGTERM');
    for (const warning of ['idleTimeoutMs: clients may rely on ten minutes', 'none decides logins']) {
      ok(
        daemon.warnings.some((record) => record.includes(warning)),
        warning,
      );
    }
    equal(await daemon.ended, 0);
  });

  it('shows the problems of its config and does not start', async () => {
    const child = run(main, ['serve', '-c', await config('plugins: []\nlog: loud')]);
    const [output, code] = await Promise.all([text(child.stderr), exitOf(child)]);
    match(output, /log: expected an object/);
    equal(code, 1);
  });

  it('logs an error that nobody caught with its stack, stops gracefully, and ends with 1', async () => {
    await writeFile(join(folder, 'bomb.js'), bomb);
    const daemon = await serving(await config('plugins: [./bomb.js]'));
    const client = connect(daemon.port, '127.0.0.1').resume();
    const records = await recordsUntilEnd(daemon);
    client.destroy();
    const fatal = records.find((record) => record.includes('"level":"fatal"')) ?? '';
    match(fatal, /"message":"tick tock"/);
    match(fatal, /"stack":"Error: tick tock/);
    ok(records.some((record) => record.includes('the bomb was told to stop')));
    equal(await daemon.ended, 1);
  });

  it('says once that it has stopped, however often it was told to', async () => {
    await writeFile(join(folder, 'tarpit.js'), tarpit);
    const daemon = await serving(await config('plugins: [./tarpit.js]'));
    daemon.child.kill('SIGTERM');
    await daemon.nextRecord();
    daemon.child.kill('SIGTERM');
    const records = await recordsUntilEnd(daemon);
    equal(records.filter((record) => record.includes('"stopped"')).length, 1);
    equal(await daemon.ended, 0);
  });

  it('is not kept from stopping by a plugin that hangs, when it is told a second time and a third', async () => {
    await writeFile(join(folder, 'limpet.js'), limpet);
    const daemon = await serving(await config('plugins: [./limpet.js]'));
    for (let times = 0; times < 3; times += 1) {
      daemon.child.kill('SIGINT');
      // Two signals of a kind that come at once are one.
      if (times < 2) await daemon.nextRecord();
    }
    equal(await daemon.ended, 1);
  });
});

describe('popper under a Node that is too old for it', () => {
  it('gives way to one beside it that has all it can use, though it would do itself', async () => {
    const file = await config('plugins: [./says-node.js]');
    await writeFile(join(folder, 'says-node.js'), saysNode);
    for (const [version, runs] of [
      ['22.18.0', process.versions.node],
      ['24.20.0', process.versions.node],
      ['24.99.0', '24.99.0'],
    ] as const) {
      const child = run(shim, ['-c', file, 'node'], pretend(version));
      equal(await text(child.stdout), `${runs} undefined\n`);
    }
  });

  it('runs under the one that is installed beside it, and the exit code is kept', async () => {
    const child = run(shim, ['check', '-c', 'nowhere.ts'], pretend('18.20.0'));
    const [output, code] = await Promise.all([text(child.stdout), exitOf(child)]);
    match(output, /nowhere\.ts: there is no such file/);
    equal(code, 2);
  });

  it('passes on a signal, so that who stops it stops the daemon', async () => {
    const daemon = await serving(await config('plugins: []'), shim, pretend('20.19.0'));
    daemon.child.kill('SIGTERM');
    equal(await daemon.ended, 0);
  });

  it('opens no debugger while it waits for the daemon', async () => {
    const daemon = await serving(await config('plugins: []'), shim, pretend('20.19.0'));
    let said = '';
    daemon.child.stderr.on('data', (octets: Buffer) => {
      said += octets.toString();
    });
    daemon.child.kill('SIGUSR1');
    await delay(500);
    daemon.child.kill('SIGTERM');
    equal(await daemon.ended, 0);
    doesNotMatch(said, /[Dd]ebugger/);
  });
});

/** Arguments for Node that make it say it is another version. */
const pretend = (version: string): readonly string[] => [
  '--import',
  `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})`,
];

/** The Node that runs, and the variable by which the shim tells that it was chosen: nobody but the shim is to see it. */
const saysNode = `
  import { definePlugin } from 'popperd';
  export default definePlugin({ name: 'says-node', apply(popper) {
    popper.subcommands.add({ name: 'node', summary: 'the Node', usage: 'node', async run(args, { stdout }) {
      stdout.write(process.versions.node + ' ' + process.env.POPPER_NODE_WAS_CHOSEN + '\\n');
      return 0;
    } });
  } });`;

const bomb = `
  import { definePlugin } from 'popperd';
  import { z } from 'zod';
  export default definePlugin({ name: 'bomb', options: z.strictObject({}), apply(popper) {
    popper.hooks.connect.tapPromise('bomb', async () => {
      setImmediate(() => { Promise.reject(new Error('tick tock')); });
    });
    popper.hooks.stop.tapPromise('bomb', async () => popper.log.info('the bomb was told to stop'));
  } });`;

const tarpit = `
  import { setTimeout } from 'node:timers/promises';
  import { definePlugin } from 'popperd';
  import { z } from 'zod';
  export default definePlugin({ name: 'tarpit', options: z.strictObject({}), apply(popper) {
    popper.hooks.stop.tapPromise('tarpit', () => setTimeout(500));
  } });`;

const limpet = `
  import { definePlugin } from 'popperd';
  import { z } from 'zod';
  export default definePlugin({ name: 'limpet', options: z.strictObject({}), apply(popper) {
    popper.hooks.stop.tapPromise('limpet', () => new Promise(() => {}));
  } });`;

let configs = 0;

async function config(lines: string, port = 0): Promise<string> {
  configs += 1;
  const file = join(folder, `popper-${configs}.yaml`);
  await writeFile(file, `listen: [{ host: 127.0.0.1, port: ${port} }]\nstateDir: var\nfronts: 1\n${lines}\n`);
  return file;
}

function run(script: string, args: readonly string[], nodeOptions: readonly string[] = []) {
  const child = spawn(process.execPath, ['-C', 'popper-source', ...nodeOptions, script, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  return child;
}

async function serving(file: string, script = main, nodeOptions: readonly string[] = []) {
  const child = run(script, ['serve', '-c', file], nodeOptions);
  const ended = exitOf(child);
  const lines = createInterface(child.stderr)[Symbol.asyncIterator]();
  const nextRecord = async (): Promise<string | undefined> => {
    const next = await lines.next();
    return next.done === true ? undefined : next.value;
  };
  // What the daemon has to say of this machine comes first.
  let record = await nextRecord();
  const warnings: string[] = [];
  while (record?.includes('"level":"warn"')) {
    warnings.push(record);
    record = await nextRecord();
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(record ?? '')?.[1]);
  ok(port > 0, `not listening: ${record}`);
  return { child, ended, port, nextRecord, warnings };
}

async function recordsUntilEnd({
  nextRecord,
}: Awaited<ReturnType<typeof serving>>): Promise<readonly string[]> {
  const records: string[] = [];
  for (let record = await nextRecord(); record !== undefined; record = await nextRecord())
    records.push(record);
  return records;
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  await once(child, 'exit');
  return child.exitCode;
}

async function firstLineOf(client: Socket): Promise<string> {
  const line = await createInterface(client)[Symbol.asyncIterator]().next();
  return line.done === true ? '' : line.value;
}
