import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';

import { listenOnFile } from './socket-file.ts';

test("the socket is its owner's alone, and nothing else is left in the folder", async (t) => {
  const { folder, path } = await place(t);
  await listening(t, { path });
  const { mode } = await lstat(path);
  assert.equal(mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['control.sock']);
});

test('it is taken away at the end, unless another daemon has put its own there', async (t) => {
  const { folder, path } = await place(t);
  const first = await listening(t, { path });
  await first.remove();
  assert.deepEqual(await readdir(folder), []);
  const second = await listening(t, { path });
  await rm(path);
  await listening(t, { path });
  await second.remove();
  assert.deepEqual(await readdir(folder), ['control.sock']);
});

test('what a dead daemon left there is replaced', async (t) => {
  const { path } = await place(t);
  const child = spawn(process.execPath, [
    '-e',
    `net.createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  await once(child, 'exit');
  assert.ok((await lstat(path)).isSocket());
  await listening(t, { path });
  assert.equal(await connectAs(process.getuid?.() ?? 0, path), 'connected');
});

test('what another program answers on, and what is no socket, is left alone', async (t) => {
  const { path } = await place(t);
  await listening(t, { path });
  await assert.rejects(
    listenOnFile(createServer(), { path }),
    /another program answers on .*: stop that one/,
  );
  assert.equal(await connectAs(process.getuid?.() ?? 0, path), 'connected');
  const file = `${path}.txt`;
  await writeFile(file, 'precious');
  await assert.rejects(listenOnFile(createServer(), { path: file }), /is no socket: move it away/);
});

test('of two daemons that start at the same time one gets it, and the other hears so', async (t) => {
  const { folder, path } = await place(t);
  const servers = [1, 2, 3, 4].map(() => createServer());
  t.after(() => servers.forEach((server) => server.close()));
  const outcomes = await Promise.allSettled(servers.map((server) => listenOnFile(server, { path })));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.deepEqual(await readdir(folder), ['control.sock']);
});

test('a folder that others may write to is refused, for they could put a socket of their own there', async (t) => {
  const { folder, path } = await place(t);
  await chmod(folder, 0o777);
  await assert.rejects(listenOnFile(createServer(), { path }), /others may write to .*: chmod go-w/);
  await chmod(folder, 0o1777);
  await listening(t, { path });
});

test('a group that is not there is named, and nothing is left behind', async (t) => {
  const { folder, path } = await place(t);
  await assert.rejects(
    listenOnFile(createServer(), { path, group: 'no-such-group' }),
    /there is no group no-such-group/,
  );
  assert.deepEqual(await readdir(folder), []);
});

const asRoot = { skip: process.getuid?.() !== 0 && 'needs root, to be somebody else' };
const somebodyUid = 4321;

test('another user of the machine cannot connect, a member of the group can', asRoot, async (t) => {
  const { path } = await place(t);
  await listening(t, { path });
  assert.equal(await connectAs(somebodyUid, path), 'EACCES');
  const ofGroup = `${path}.group`;
  await listening(t, { path: ofGroup, group: somebodyUid });
  assert.equal((await lstat(ofGroup)).mode & 0o777, 0o660);
  assert.equal(await connectAs(somebodyUid, ofGroup), 'connected');
  const ofRoot = `${path}.root`;
  await listening(t, { path: ofRoot, group: 'root' });
  assert.equal(await connectAs(somebodyUid, ofRoot), 'EACCES');
});

test('no one can connect before the socket is as it is meant to be', asRoot, async (t) => {
  const { folder, path } = await place(t);
  // Somebody tries all paths that there are, all the time.
  const spy = spawn(process.execPath, ['-e', spying, folder], {
    uid: somebodyUid,
    gid: somebodyUid,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(spy.stdout, 'data');
  for (let round = 0; round < 50; round += 1) {
    const { server, remove } = await listening(t, { path });
    server.close();
    await remove();
  }
  spy.stdin.end();
  assert.equal(await text(spy.stdout), '');
});

/** Says so wherever it could connect. */
const spying = `
  const [folder] = process.argv.slice(1);
  let over = false;
  process.stdin.on('end', () => { over = true; }).resume();
  const tryAll = (within) => {
    let names = [];
    try { names = fs.readdirSync(within, { withFileTypes: true }); } catch {}
    for (const entry of names) {
      const path = within + '/' + entry.name;
      if (entry.isDirectory()) tryAll(path);
      else net.connect(path).on('connect', function () { console.log('connected to ' + path); this.destroy(); }).on('error', () => {});
    }
  };
  console.log('ready');
  const round = () => { tryAll(folder); if (!over) setImmediate(round); };
  round();
`;

async function place(t: TestContext): Promise<{ folder: string; path: string }> {
  const outer = await mkdtemp(join(tmpdir(), 'popper-socket-'));
  t.after(() => rm(outer, { recursive: true }));
  await chmod(outer, 0o755);
  const folder = join(outer, 'state');
  await mkdir(folder, { mode: 0o755 });
  return { folder, path: join(folder, 'control.sock') };
}

async function listening(t: TestContext, address: Parameters<typeof listenOnFile>[1]) {
  const server = createServer((socket) => void socket.end().resume());
  t.after(() => server.close());
  return { server, remove: await listenOnFile(server, address) };
}

/** What comes of it when this user connects: `connected`, or an error's code. */
async function connectAs(uid: number, path: string): Promise<string> {
  const connecting = `net.connect(process.argv[1]).on('connect', () => process.stdout.write('connected', () => process.exit())).on('error', (error) => console.log(error.code))`;
  const child = spawn(process.execPath, ['-e', connecting, path], {
    uid,
    gid: uid,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return (await text(child.stdout)).trim();
}
