import type { Logger } from '../../log/logger.ts';
import type { CarriedPem } from '../ipc/messages.ts';
import { exposed, type PemFiles, readPem, versionOf } from '../tls/read-pem.ts';
import { TlsFault } from '../tls/tls-fault.ts';

/** The files are looked at so often, in milliseconds. */
const lookEveryMs = 1000;

/**
 * Certificate and key for fronts that may not read the key. It reads the files and understands nothing of them: whether they
 * do is for the fronts to say, which strangers talk to anyway.
 */
export class PemKeeper {
  /** Called where the files have changed. */
  changed: (pem: CarriedPem) => void = () => {};
  readonly #files: PemFiles;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #pem: CarriedPem;
  #seen: string;

  private constructor(files: PemFiles, pem: CarriedPem, { seen, log }: { seen: string; log: Logger }) {
    this.#files = files;
    this.#pem = pem;
    this.#seen = seen;
    this.#log = log;
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  /** Throws a TlsFault where the files cannot be read. */
  static async open(files: PemFiles, log: Logger): Promise<PemKeeper> {
    // Before the reading: files that change in the middle of it are then seen as changed.
    const seen = await versionOf(files);
    const pem = await carried(files);
    const fault = await exposed(files);
    if (fault) log.error(fault.what, { fix: fault.fix });
    return new PemKeeper(files, pem, { seen, log });
  }

  get pem(): CarriedPem {
    return this.#pem;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Halves of a change go to the fronts, too: they wait until it has come to rest. */
  async #look(): Promise<void> {
    const version = await versionOf(this.#files);
    if (version === this.#seen) return;
    this.#seen = version;
    try {
      this.#pem = await carried(this.#files);
      this.changed(this.#pem);
    } catch (error) {
      if (!(error instanceof TlsFault)) throw error;
      const { what, fix } = error;
      this.#log.error('certificate not renewed, the old one is served on', { reason: what, fix });
    }
  }
}

/** PEM is text. */
async function carried(files: PemFiles): Promise<CarriedPem> {
  const { certificate, key } = await readPem(files);
  return {
    certificate: Buffer.from(certificate).toString('latin1'),
    key: Buffer.from(key).toString('latin1'),
  };
}
