import { hostname } from 'node:os';

import type { LogRecord } from 'popperd';

import type { Entry } from './entry.ts';
import { flatFields } from './flat-fields.ts';
import type { Options } from './options.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import { isAtLeast } from './priority.ts';
import { asRfc3164 } from './rfc3164.ts';
import { asRfc5424 } from './rfc5424.ts';
import { wireTo } from './wire-to.ts';

const localOctets = 1024;
const remoteOctets = 2048;

/** Records in, syslog messages out. */
export class SyslogSink {
  readonly #options: Options;
  readonly #outbox: Outbox;

  constructor(options: Options, news: Pick<OutboxOptions, 'unreachable' | 'reachedAgain'>) {
    this.#options = options;
    this.#outbox = new Outbox({
      capacity: options.queueRecords,
      noteOn: (dropped) => this.#lineOf(noteOn(dropped)),
      ...news,
    });
  }

  /** Never waits, and keeps nothing of the record itself. */
  take(record: LogRecord): void {
    if (isAtLeast(record.level, this.#options.level)) this.#outbox.push(this.#lineOf(record));
  }

  start(ca: string | undefined): void {
    this.#outbox.start(wireTo(this.#options.to, ca));
  }

  /** Rejects where nobody is there, as far as that can be found out. */
  async probe(ca: string | undefined): Promise<void> {
    const wire = wireTo(this.#options.to, ca);
    try {
      await wire.open();
    } finally {
      await wire.close();
    }
  }

  /** Gives the number of records that did not reach it. */
  stop(): Promise<number> {
    return this.#outbox.close(this.#options.stopTimeoutMs);
  }

  #lineOf(record: LogRecord): Buffer {
    const { facility, tag, to, maxOctets } = this.#options;
    const sender = { facility, tag, pid: process.pid, host: hostname() };
    const isLocal = to.kind === 'unix';
    const octets = maxOctets ?? (isLocal ? localOctets : remoteOctets);
    const entry = entryOf(record, isLocal);
    return Buffer.from(isLocal ? asRfc3164(entry, sender, octets) : asRfc5424(entry, sender, octets));
  }
}

function entryOf({ level, message, fields, isWhole = false }: LogRecord, isText: boolean): Entry {
  // A line that a plugin logs without fields is what is looked for, and its name behind it would be in the way.
  const speaksForItself = isWhole || Object.keys(fields).every((name) => name === 'plugin');
  const shown = isText && speaksForItself ? [] : flatFields(fields);
  return { level, message, fields: shown, time: new Date() };
}

const noteOn = (dropped: number): LogRecord => ({
  level: 'warn',
  message: `${dropped} records were dropped`,
  fields: {},
});
