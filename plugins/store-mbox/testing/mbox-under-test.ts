import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Identity, LogRecord, Maildrop, Role, SpoolLocks } from 'popperd';
import { memoryState } from 'popperd/testing';

import { realFiles, type Files } from '../commit/index.ts';
import { options, type Options } from '../options.ts';
import { MboxStore } from '../store.ts';

const fromLine = /^(>*From )/gm;

/** A store over a spool of its own, and mail programs beside it. */
export class MboxUnderTest {
  readonly folder: string;
  readonly logged: LogRecord[] = [];
  state = memoryState();
  readonly files: Files;
  readonly #options: Options;
  #store: MboxStore;

  private constructor(folder: string, settings: Partial<Options>, files: Files) {
    this.folder = folder;
    this.files = files;
    this.#options = { ...options.parse({ spool: join(folder, '{user}'), reservedJournals: 0 }), ...settings };
    this.#store = this.#newStore();
  }

  static async make(settings: Partial<Options> = {}, files: Files = realFiles): Promise<MboxUnderTest> {
    return new MboxUnderTest(await mkdtemp(join(tmpdir(), 'popper-mbox-')), settings, files);
  }

  /** A delivery agent quotes From_ lines and ends the last line. */
  static asStored(delivered: Uint8Array): Uint8Array {
    const text = Buffer.from(delivered).toString('latin1').replaceAll(fromLine, '>$1');
    return Buffer.from(text === '' || text.endsWith('\n') ? text : `${text}\n`, 'latin1');
  }

  static envelopeOf(number: number): string {
    return `From mrose@dbc.mtview.ca.us Sun Mar  8 10:${String(number % 60).padStart(2, '0')}:00 1992\n`;
  }

  pathOf(user = 'mrose'): string {
    return join(this.folder, user);
  }

  async open(user = 'mrose'): Promise<Maildrop> {
    return this.#store.open(identityOf(user));
  }

  async recover(): Promise<void> {
    await this.#store.recover(identityOf('').uid);
  }

  async deliver(user: string, messages: readonly Uint8Array[]): Promise<void> {
    const text = messages.map((message, index) => [
      Buffer.from(MboxUnderTest.envelopeOf(index)),
      MboxUnderTest.asStored(message),
      Buffer.from('\n'),
    ]);
    await writeFile(this.pathOf(user), Buffer.concat(text.flat()), { flag: 'a', mode: 0o600 });
  }

  /** Puts an mbox there as it is, octet for octet. */
  async write(content: string | Uint8Array, user = 'mrose'): Promise<void> {
    const octets = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    await writeFile(this.pathOf(user), octets, { mode: 0o600 });
  }

  async content(user = 'mrose'): Promise<string> {
    return readFile(this.pathOf(user), 'latin1');
  }

  /** Splits as strictly as this class delivers. */
  async stored(user: string): Promise<readonly Uint8Array[]> {
    const content = await this.content(user).catch(() => '');
    const parts = content.split(/^From mrose@dbc\.mtview\.ca\.us .*\n/m).slice(1);
    return parts.map((part) => Buffer.from(part.slice(0, -1), 'latin1'));
  }

  /** Another process. Without a role it is taken for one of many. */
  async restart(role?: Role): Promise<void> {
    this.#store = this.#newStore();
    if (role !== undefined) this.#store.start(role);
  }

  /** The process is killed: what it holds is let go, what it has not written is lost. */
  async die(): Promise<void> {
    const { state } = this;
    this.state = memoryState();
    const uid = identityOf('').uid;
    await cp(state.folderOfUid(uid), await this.state.folderOf(identityOf('')), { recursive: true });
    await state.remove();
    this.#store = this.#newStore();
  }

  async removeBehind(user: string, index: number): Promise<void> {
    const content = await this.content(user);
    const parts = content.split(/^(?=From mrose@dbc\.mtview\.ca\.us )/m);
    await this.write(parts.toSpliced(index, 1).join(''), user);
  }

  async dispose(): Promise<void> {
    await this.state.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  #newStore(): MboxStore {
    const log =
      (level: LogRecord['level']) =>
      (message: string, fields = {}): void => {
        this.logged.push({ level, message, fields });
      };
    const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
    const surroundings = {
      state: this.state,
      spoolLocks: ownSpoolLocks,
      log: logger,
      baseFolder: this.folder,
    };
    return new MboxStore(surroundings, this.#options, this.files);
  }
}

/** Locks are made by this process itself. */
export const ownSpoolLocks = {
  add: (kind: SpoolLocks): SpoolLocks => ({ tryLock: (path) => kind.tryLock(path) }),
};

export function identityOf(user: string): Identity {
  return { user, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, home: '/nonexistent' };
}
