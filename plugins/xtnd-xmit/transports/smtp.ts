import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

import { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';

import type { LmtpOptions, SmtpOptions } from '../options.ts';
import type { Letter } from '../receive.ts';
import { NotSent } from '../refused.ts';
import { type Login, loginOf, secretFilesOf } from './login.ts';
import type { Fault, Transport } from './transport.ts';

/** A server that is spoken SMTP with, or LMTP (RFC 5321, RFC 2033). One connection for each message. */
export class Smtp implements Transport {
  readonly lineEnd = '\r\n';
  readonly #options: SmtpOptions | LmtpOptions;
  readonly #timeoutMs: number;
  /** Kept as long as its settings hold, because it keeps the access token that OAuth2 gave. */
  #relay: { readonly settings: SMTPTransportOptions; readonly transporter: Transporter } | undefined;

  constructor(options: SmtpOptions | LmtpOptions, timeoutMs: number) {
    this.#options = options;
    this.#timeoutMs = timeoutMs;
  }

  async send({ envelope, file, octets, isSevenBit }: Letter, signal: AbortSignal): Promise<void> {
    const transporter = this.#transporter(await this.#settings());
    const { rejected } = await transporter
      .sendMail({
        // As objects: they were parsed once, and are not to be parsed again.
        envelope: {
          from: named(envelope.from),
          to: envelope.to.map(named),
          size: octets,
          use8BitMime: !isSevenBit,
        },
        raw: file.createReadStream({ start: 0, autoClose: false }),
        signal,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      .catch((error: unknown) => {
        throw withoutSecrets(error);
      });
    if (rejected.length > 0) throw new NotSent(`Sent, but not to ${addressesOf(rejected).join(', ')}`);
  }

  async fault(): Promise<Fault | undefined> {
    const options = this.#options;
    if (options.kind === 'lmtp') return options.path === undefined ? undefined : faultOfSocket(options.path);
    const files = [options.ca, ...(options.auth === undefined ? [] : secretFilesOf(options.auth))];
    for (const file of files.filter((each) => each !== undefined)) {
      const fault = await faultOfFile(file, file !== options.ca);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #settings(): Promise<SMTPTransportOptions> {
    const timeouts = {
      connectionTimeout: this.#timeoutMs,
      greetingTimeout: this.#timeoutMs,
      socketTimeout: this.#timeoutMs,
    };
    return this.#options.kind === 'smtp'
      ? { ...timeouts, ...(await smtpSettings(this.#options)) }
      : { ...timeouts, ...lmtpSettings(this.#options) };
  }

  #transporter(settings: SMTPTransportOptions): Transporter {
    if (this.#relay === undefined || !isDeepStrictEqual(this.#relay.settings, settings))
      this.#relay = { settings, transporter: transporterOf(settings, this.#options) };
    return this.#relay.transporter;
  }
}

type Transporter = ReturnType<typeof transporterOf>;

const transporterOf = (settings: SMTPTransportOptions, options: SmtpOptions | LmtpOptions) =>
  createTransport({ ...settings, ...socketOf(options) });

async function smtpSettings({ host, port, tls, ca, auth }: SmtpOptions): Promise<SMTPTransportOptions> {
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca === undefined ? {} : { tls: { ca: await readFile(ca, 'utf8') } }),
    // A server that offers no login is asked for one all the same: it may be another's.
    ...(auth === undefined ? {} : { auth: authOf(await loginOf(auth)), forceAuth: true }),
  };
}

const authOf = (login: Login): NonNullable<SMTPTransportOptions['auth']> => login;

const lmtpSettings = ({ host = 'localhost', port = 24 }: LmtpOptions): SMTPTransportOptions => ({
  lmtp: true,
  host,
  port,
  ignoreTLS: true,
});

/** nodemailer knows hosts and ports only; a unix socket is opened for it. */
function socketOf(options: SmtpOptions | LmtpOptions): Pick<SMTPTransportOptions, 'getSocket'> {
  if (options.kind === 'smtp' || options.path === undefined) return {};
  const { path } = options;
  return {
    getSocket: (_, callback) => {
      const socket = connect({ path });
      socket.once('error', (error) => callback(error));
      socket.once('connect', () => callback(null, { connection: socket }));
    },
  };
}

const named = (address: string): { name: string; address: string } => ({ name: '', address });

const addressesOf = (rejected: readonly (string | { readonly address: string })[]): readonly string[] =>
  rejected.map((each) => (typeof each === 'string' ? each : each.address));

/** A server may say back what it was told: of what it says to a login only the number goes on to a log. */
function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = 'code' in error ? String(error.code) : '';
  if (code !== 'EAUTH' && code !== 'EOAUTH2') return new Error(error.message);
  const answer = 'responseCode' in error ? `, answer ${String(error.responseCode)}` : '';
  return new Error(`the server refused the login (${code}${answer})`);
}

async function faultOfSocket(path: string): Promise<Fault | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isSocket() === true) return undefined;
  return {
    what: `${path} is no socket: no message can be sent`,
    fix: 'start the server that listens there, or mend transport.path',
  };
}

async function faultOfFile(file: string, isSecret: boolean): Promise<Fault | undefined> {
  try {
    await readFile(file);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return {
      what: `${file} cannot be read: ${what}`,
      fix: 'let the user that serves sessions read it, or mend the path',
    };
  }
  const { mode } = await stat(file);
  if (!isSecret || (mode & 0o007) === 0) return undefined;
  return { what: `everybody may read ${file}, which holds a secret`, fix: `chmod o= ${file}` };
}
