import type { SecureContext } from 'node:tls';

import type { Logger } from '../../log/logger.ts';
import type { TlsSettings } from '../../settings.ts';
import { type Certificate, certificateOf, type Pem, untimely } from './certificate.ts';
import { exposed, type PemFiles, readPem, versionOf } from './read-pem.ts';
import { TlsFault } from './tls-fault.ts';

/** The files are looked at so often, in milliseconds. */
const defaultLookEveryMs = 2000;

/** Where certificate and key come from. */
export interface PemSource {
  /** Another text where they have changed since. */
  version(): Promise<string>;
  /** Throws a TlsFault where they cannot be had. */
  read(): Promise<Pem>;
  /** Why the key is no secret, as far as can be told. */
  exposed(): Promise<TlsFault | undefined>;
}

/** This process reads them itself. */
const ownReading = (files: PemFiles): PemSource => ({
  version: () => versionOf(files),
  read: () => readPem(files),
  exposed: () => exposed(files),
});

/**
 * The certificate that new connections are served, followed as its files change. Files that do not do never take the
 * place of a certificate that does: the log says why, once, and the old one stays.
 */
export class ServedCertificate {
  readonly #settings: TlsSettings;
  readonly #source: PemSource;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #certificate: Certificate;
  /** The version that is served, or was refused. */
  #decided: string;
  #seen: string;
  #looking: Promise<void> | undefined;

  private constructor(loaded: Loaded, settings: TlsSettings, options: ServedCertificateOptions) {
    this.#certificate = loaded.certificate;
    this.#decided = loaded.version;
    this.#seen = loaded.version;
    this.#settings = settings;
    this.#source = loaded.source;
    this.#log = options.log;
    this.#timer = setInterval(() => void this.#look(), options.lookEveryMs ?? defaultLookEveryMs);
    this.#timer.unref();
  }

  /**
   * Reads it for the first time. Throws a TlsFault where it cannot be served at all; what only clients may object to, or
   * an attacker be glad of, is logged, since no mail at all would help nobody.
   */
  static async open(settings: TlsSettings, options: ServedCertificateOptions): Promise<ServedCertificate> {
    const source = options.source ?? ownReading(settings);
    const loaded = await load(source, settings);
    const doubts = [untimely(loaded.certificate, settings, new Date()), await source.exposed()];
    for (const doubt of doubts) if (doubt) options.log.error(doubt.what, { fix: doubt.fix });
    return new ServedCertificate(loaded, settings, options);
  }

  get context(): SecureContext {
    return this.#certificate.context;
  }

  /** Reads the files now, whether they have changed or not: for an operator who asks (SIGHUP). Never throws. */
  async renew(): Promise<void> {
    const { certificate: file } = this.#settings;
    try {
      this.#decided = await this.#source.version();
      const { certificate } = await load(this.#source, this.#settings);
      const fault = untimely(certificate, this.#settings, new Date());
      if (fault) throw fault;
      this.#certificate = certificate;
      this.#log.info('certificate renewed', { file, validTo: certificate.validTo.toISOString() });
    } catch (error) {
      const fields = error instanceof TlsFault ? { reason: error.what, fix: error.fix } : { error };
      this.#log.error('certificate not renewed, the old one is served on', fields);
    }
  }

  /** It is not followed any more. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    this.#looking ??= this.#renewIfChanged().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Certificate and key are two files, written one after the other: a change counts when it has come to rest. */
  async #renewIfChanged(): Promise<void> {
    const version = await this.#source.version();
    const isAtRest = version === this.#seen;
    this.#seen = version;
    if (isAtRest && version !== this.#decided) await this.renew();
  }
}

export interface ServedCertificateOptions {
  readonly log: Logger;
  readonly lookEveryMs?: number;
  /** Without it this process reads the files. */
  readonly source?: PemSource;
}

interface Loaded {
  readonly source: PemSource;
  readonly certificate: Certificate;
  readonly version: string;
}

async function load(source: PemSource, settings: TlsSettings): Promise<Loaded> {
  // Before the reading: files that change in the middle of it are then seen as changed.
  const version = await source.version();
  return { source, certificate: certificateOf(await source.read(), settings), version };
}
