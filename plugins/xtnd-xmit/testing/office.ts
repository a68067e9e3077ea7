import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { Plugin } from 'popperd';
import { type Client, memoryHost, memoryMaildrop, type MemoryState, TestServer } from 'popperd/testing';

import xtndXmit from '../index.ts';

type XmitOptions = Parameters<typeof xtndXmit>[0];

const login = ['USER mrose', 'PASS secret'];

/** What the server says to a command, and to a message. */
export const go = '+OK Start sending the message.';
export const sent = '+OK Message sent successfully';

/** A header that lacks nothing, and the envelope that the folder shows of it. */
export const header = ['From: mrose@example.org', 'Date: now', 'Message-ID: <1@x>', 'To: bob@example.net'];
export const envelope = 'X-Envelope-From: mrose@example.org\r\nX-Envelope-To: bob@example.net\r\n';
export const inLines = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

/** A command with a message behind it. */
export const message = ['XTND XMIT', ...header, '', 'hello', '.'];

/** A server whose users send into a folder, unless told otherwise. */
export async function office(
  t: TestContext,
  options: Partial<XmitOptions> = {},
  { plugins = [], state }: Surroundings = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-xmit-test-'));
  const transport = { kind: 'directory', folder: 'sent' } as const;
  const plugin = xtndXmit({ transport, domain: 'example.org', ...options });
  assert.deepEqual(plugin.problems, []);
  const host = memoryHost(memoryMaildrop(['a\r\n']));
  const server = new TestServer([host, plugin, ...plugins], {
    baseFolder: folder,
    ...(state === undefined ? {} : { state }),
  });
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    server,
    /** Below the user's state folder. */
    stateFolder: join(server.state.folderOfUid(1000), 'xtnd-xmit'),
    /** What the server says to a client that has logged in. */
    talk: async (client: Client): Promise<readonly string[]> =>
      (await server.converse(withLogin(client))).slice(login.length + 1),
    letters: () => lettersIn(join(folder, 'sent')),
  };
}

interface Surroundings {
  readonly plugins?: readonly Plugin[];
  /** Of another server, as processes of one daemon share it. */
  readonly state?: MemoryState;
}

/** The same with a mailer that is this script. */
export async function mailer(t: TestContext, script: string) {
  const made = await office(t, { transport: { kind: 'sendmail', command: 'sendmail' } });
  const command = join(made.folder, 'sendmail');
  await writeFile(command, `#!/bin/sh\ncd ${made.folder}\n${script}\n`);
  await chmod(command, 0o755);
  return made;
}

/** These lines behind a login. */
export async function* withLogin(client: Client): AsyncGenerator<string | Uint8Array> {
  yield* login;
  yield* client;
}

async function lettersIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
}
