import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

import { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';

import type { LmtpOptions, SmtpOptions } from '../options.ts';
import type { Letter } from '../receive.ts';
import { PartlySent } from '../refused.ts';
import { type Login, loginOf } from './login.ts';
import { loggable } from './smtp-error.ts';
import { faultOfServer } from './smtp-faults.ts';
import type { Fault, Isolation, Transport } from './transport.ts';

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
        throw loggable(error);
      });
    if (rejected.length > 0) throw new PartlySent(addressesOf(rejected));
  }

  async fault(isolation: Isolation = 'none'): Promise<Fault | undefined> {
    return faultOfServer(this.#options, isolation);
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
