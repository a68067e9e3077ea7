import assert, { deepStrictEqual as deepEqual, strictEqual as equal, match, ok } from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';

import { Secret } from '../secret.ts';
import type { LogFields } from './logger.ts';
import { createLogger, type DaemonLog, type LogOptions } from './pino-log.ts';

describe('a client who wants to write into the log', () => {
  it('cannot begin a line of his own, in JSON or on a terminal', () => {
    for (const format of ['json', 'pretty'] as const) {
      const written = linesOf({ format }, (log) => log.info('refused', { user: 'joe\r\n{"level":"info"}' }));
      equal(written.length, 1);
    }
  });

  it('cannot steer the terminal, nor make text run backwards', () => {
    const [line = ''] = linesOf({ format: 'pretty' }, (log) => {
      log.info('refused', { user: '\u001b[2Jroot\u009b31m\u202e', ['\u0007key']: 1 });
    });
    match(line, /\\u\{1b\}\[2Jroot\\u\{9b\}31m\\u\{202e\}/);
    ok(!/[^\x20-\x7e]/.test(line));
  });

  it('cannot fill the disk with one name', () => {
    const [line = ''] = linesOf({}, (log) => log.info('refused', { user: '\0'.repeat(1_000_000) }));
    ok(line.length < 1000, `${line.length} octets`);
    const { user } = recordOf(line);
    equal(String(user).length, 256);
    match(String(user), /\.\.\.$/);
  });

  it('cannot take the place of what the log itself says', () => {
    const [line = ''] = linesOf({}, (log) =>
      log.warn('refused', { level: 'info', msg: 'granted', pid: 1, time: 0 }),
    );
    const { level, msg, pid } = recordOf(line);
    deepEqual({ level, msg, pid }, { level: 'warn', msg: 'refused', pid: process.pid });
  });

  it('cannot do it either where a plugin hands on an error as fields', () => {
    const extra: LogFields = { user: 'joe' };
    const [line = ''] = linesOf({}, (log) => log.warn('refused', Object.assign(new Error('granted'), extra)));
    const { msg, user } = recordOf(line);
    deepEqual({ msg, user }, { msg: 'refused', user: 'joe' });
    ok(!line.includes('granted'), line);
  });

  it('cannot break a line whose message has his name in it, and the name is escaped once', () => {
    const [line = '', ...more] = linesOf({}, (log) =>
      log.info(String.raw`Stats: jo\u{20}e 1 2 3 4` + '\r\n\u001b[2J'),
    );
    equal(recordOf(line)['msg'], String.raw`Stats: jo\u{20}e 1 2 3 4\r\n\u{1b}[2J`);
    deepEqual(more, []);
  });

  it('cannot make a name look escaped that is not: a backslash is escaped itself', () => {
    const [line = ''] = linesOf({}, (log) => log.info('refused', { user: String.raw`joe\n` }));
    equal(recordOf(line)['user'], String.raw`joe\\n`);
  });
});

describe('the log', () => {
  it('shows no secret, however deep it lies', () => {
    const lines = linesOf({ level: 'debug' }, (log) => {
      log.debug('login', { attempt: { password: new Secret('tr0ub4dor') }, raw: Buffer.from('tr0ub4dor') });
    });
    ok(!lines.join().includes('tr0ub4dor'));
    match(lines.join(), /"password":"\[secret\]".*"raw":"\[9 octets\]"/);
  });

  it('tells the causes of an error, and keeps the stack for errors of the program', () => {
    const [line = ''] = linesOf({}, (log) => {
      const cause = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' });
      log.error('no answer', { error: new Error('ldap: no server', { cause }) });
      log.error('a bug', { error: new TypeError('x is not a function') });
    });
    deepEqual(recordOf(line)['error'], {
      name: 'Error',
      message: 'ldap: no server',
      cause: { name: 'Error', message: 'connect failed', code: 'ECONNREFUSED' },
    });
    const [, bug = ''] = linesOf({}, (log) => {
      log.error('first');
      log.error('a bug', { error: new TypeError('x is not a function') });
    });
    match(stackOf(bug), /^TypeError: x is not a function\\n {4}at /);
  });

  it('has every stack at debug, and for what ends the process', () => {
    const [debugging = ''] = linesOf({ level: 'debug' }, (log) => log.error('e', { error: new Error('e') }));
    const [fatal = ''] = linesOf({ level: 'error' }, (log) => log.fatal('e', { error: new Error('e') }));
    for (const line of [debugging, fatal]) match(stackOf(line), /^Error: e\\n/);
    equal(recordOf(fatal)['level'], 'fatal');
  });

  it('survives what refers to itself', () => {
    const ring: Record<string, unknown> = {};
    ring['ring'] = ring;
    const error = new Error('round');
    error.cause = error;
    const [line = ''] = linesOf({}, (log) => log.error('odd', { ring, error, big: 1n, fn: () => {} }));
    match(line, /\[\.\.\.\]/);
  });

  it('leaves out what is below its level', () => {
    const lines = linesOf({ level: 'warn' }, (log) => {
      log.debug('no');
      log.info('no');
      log.warn('yes');
      log.error('yes');
    });
    equal(lines.length, 2);
  });

  it('is JSON where nobody watches and readable on a terminal, if it is left to choose', () => {
    const [json = ''] = linesOf({ format: 'auto' }, listening);
    equal(recordOf(json)['msg'], 'listening');
    const [readable = ''] = linesOf({ format: 'auto', isTTY: true }, listening);
    match(readable, /^\[\d\d:\d\d:\d\d\.\d{3}\].*INFO.*listening/);
  });
});

describe('a session that is over', () => {
  const session = {
    session: 'f3-7',
    address: '192.0.2.7',
    tls: undefined,
    user: 'alice',
    ending: 'quit',
    failure: undefined,
    retrieved: mail(2, 900),
    deleted: mail(1, 400),
    left: mail(19, 8000),
    received: 60,
    sent: 950,
    durationMs: 1234,
  };
  const told = (over: object): string => {
    const [line = ''] = linesOf({ format: 'pretty' }, (log) => log.info('session', { ...session, ...over }));
    return line.slice(line.indexOf('INFO'));
  };

  it('is a sentence on a terminal', () => {
    equal(
      told({ tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } }),
      'INFO: session f3-7 of alice from 192.0.2.7 by TLSv1.3: quit after 1.2 s; 2 messages read (900 octets), 1 deleted, 19 left',
    );
    equal(
      told({ ending: 'failed', failure: { code: 'SYS/TEMP', reason: '1 of 2 messages not removed' } }),
      'INFO: session f3-7 of alice from 192.0.2.7: failed after 1.2 s, [SYS/TEMP] 1 of 2 messages not removed; 2 messages read (900 octets), 1 deleted, 19 left',
    );
  });

  it('of somebody who did not log in says no more than that', () => {
    const nobody = told({
      user: undefined,
      ending: 'refused',
      failure: { reason: 'too many' },
      durationMs: 9,
    });
    equal(nobody, 'INFO: session f3-7 from 192.0.2.7: refused after 0.0 s, too many');
  });

  it('has all of its fields in JSON, and a plugin that logs under its name keeps its own', () => {
    const [line = ''] = linesOf({ format: 'json' }, (log) => log.info('session', session));
    deepEqual(recordOf(line)['deleted'], mail(1, 400));
    const [other = ''] = linesOf({ format: 'pretty' }, (log) => log.info('session', { colour: 'blue' }));
    match(other, /INFO: session \{"colour":"blue"\}/);
  });
});

function mail(messages: number, octets: number) {
  return { messages, octets };
}

const listening = (log: DaemonLog): void => log.info('listening', { addresses: ['127.0.0.1:110'] });

interface Setting extends Partial<Omit<LogOptions, 'stream'>> {
  readonly isTTY?: boolean;
}

function linesOf(
  { level = 'info', format = 'json', isTTY = false }: Setting,
  write: (log: DaemonLog) => void,
): readonly string[] {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY });
  write(createLogger({ level, format, stream }));
  const written: unknown = stream.read();
  return typeof written === 'string' ? written.trimEnd().split('\n') : [];
}

function recordOf(line: string): Readonly<Record<string, unknown>> {
  const record: unknown = JSON.parse(line);
  assert(typeof record === 'object' && record !== null);
  return { ...record };
}

function stackOf(line: string): string {
  const { error } = recordOf(line);
  assert(typeof error === 'object' && error !== null && 'stack' in error);
  return String(error.stack);
}
