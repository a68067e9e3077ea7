import type { FileHandle } from 'node:fs/promises';

import { Failure, type Maildrop } from 'popperd';

import type { Columns } from './columns.ts';

export interface BoardMaildropOptions {
  /** Begins every unique-id: boards have numbers in common. */
  readonly name: string;
  /** For the log. */
  readonly path: string;
  /** Closed by `close`. */
  readonly handle: FileHandle;
  readonly columns: Columns;
}

/** A board that is open: the messages that it had then, which nobody can remove. */
export class BoardMaildrop implements Maildrop {
  readonly readOnly = true;
  readonly count: number;
  readonly totalOctets: number;
  readonly #options: BoardMaildropOptions;

  constructor(options: BoardMaildropOptions) {
    this.#options = options;
    this.count = options.columns.count;
    this.totalOctets = options.columns.totalOctets;
  }

  /** The highest number that a message of the board has ever had. */
  get maxima(): number {
    return this.#options.columns.maxima;
  }

  octetsOf(index: number): number {
    return this.#at('octets', index);
  }

  uidOf(index: number): string {
    return `${this.#options.name}.${this.boardNumberOf(index)}`;
  }

  boardNumberOf(index: number): number {
    return this.#at('numbers', index);
  }

  async *read(index: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const [offset, start, end] = [
      this.#at('offsets', index),
      this.#at('starts', index),
      this.#at('ends', index),
    ];
    const fromLine = await this.#readAt(Buffer.alloc(fromOctets), offset);
    if (fromLine.toString('latin1') !== 'From ') throw this.#changed();
    const buffer = Buffer.allocUnsafe(Math.min(chunkOctets, end - start));
    for (let position = start; position < end;) {
      signal.throwIfAborted();
      const chunk = await this.#readAt(buffer.subarray(0, Math.min(buffer.length, end - position)), position);
      if (chunk.length === 0) throw this.#changed();
      position += chunk.length;
      yield chunk;
    }
  }

  /** Never asked for, because it is read only. */
  async commit(): Promise<never> {
    throw new Failure('nothing can be removed from a bboard', { code: 'SYS/PERM' });
  }

  async close(): Promise<void> {
    await this.#options.handle.close();
  }

  async #readAt(buffer: Buffer, position: number): Promise<Buffer> {
    const { bytesRead } = await this.#options.handle.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  }

  #at(column: 'offsets' | 'starts' | 'ends' | 'octets' | 'numbers', index: number): number {
    const value = this.#options.columns[column][index];
    if (value === undefined) throw new RangeError(`there is no message with the index ${index}`);
    return value;
  }

  #changed(): Failure {
    const cause = new Error(`${this.#options.path} was changed while it was open: only appending is safe`);
    return new Failure('the bboard has changed, enter it again', { code: 'SYS/TEMP', cause });
  }
}

const fromOctets = 5;
const chunkOctets = 64 * 1024;
