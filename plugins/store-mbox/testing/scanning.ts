import type { FileStat, OpenFile } from '../commit/index.ts';
import { type FoundMessage, scanMailbox, type ScanRequest, type ScanResult } from '../scanner.ts';

/** A file that is its content, and counts what is read of it. */
export class TextFile implements OpenFile {
  readonly descriptor = -1;
  readonly #octets: Buffer;
  readOctets = 0;

  constructor(content: string | Buffer) {
    this.#octets = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  }

  async stat(): Promise<FileStat> {
    const facts = { kind: 'file', dev: 1n, ino: 1n, mtimeNs: 1n, ctimeNs: 1n } as const;
    return { ...facts, nlink: 1, uid: 0, gid: 0, mode: 0o600, octets: this.#octets.length };
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const part = this.#octets.subarray(position, position + target.length);
    target.set(part);
    this.readOctets += part.length;
    return part.length;
  }

  async write(): Promise<never> {
    throw new Error('a scan writes nothing');
  }

  async truncate(): Promise<never> {
    throw new Error('a scan cuts nothing');
  }

  async sync(): Promise<void> {}
  async dataSync(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface Scanned extends ScanResult {
  readonly messages: readonly FoundMessage[];
  /** Messages as they would be sent to a client, but for line ends. */
  readonly texts: readonly string[];
}

export async function scanText(content: string, request: Partial<ScanRequest> = {}): Promise<Scanned> {
  const messages: FoundMessage[] = [];
  const whole = {
    file: new TextFile(content),
    from: 0,
    to: content.length,
    startsMailbox: true,
    contentLength: false,
    ...request,
  };
  const result = await scanMailbox(whole, (message) => messages.push(message));
  return { ...result, messages, texts: messages.map((message) => textOf(content, message)) };
}

export function textOf(content: string, { offset, envelopeOctets, contentOctets }: FoundMessage): string {
  return content.slice(offset + envelopeOctets, offset + envelopeOctets + contentOctets);
}
