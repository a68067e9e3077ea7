import { isIP } from 'node:net';

import { Secret } from 'popperd';
import { z } from 'zod';

const mebi = 1024 * 1024;

const path = z.string({ error: 'expected a path' }).min(1, { error: 'expected a path' });
const host = z.string().regex(/^[A-Za-z0-9.:_-]+$/, { error: 'expected a host name or an address' });
const port = z.int().min(1).max(65_535);
/** Out of reach of whatever shows options. */
const secret = z.string().min(1, { error: 'expected a secret' }).transform(secretOf);

/** The local mailer, as every Unix has one. */
const sendmail = z.strictObject({
  kind: z.literal('sendmail'),
  command: path.default('/usr/sbin/sendmail'),
  /** Before those that popper gives: `-a account` for msmtp, `-C folder` for Postfix. */
  args: z.array(z.string()).default([]),
});

const oauth2 = z
  .strictObject({
    clientId: z.string().min(1),
    clientSecret: secret.optional(),
    clientSecretFile: path.optional(),
    refreshToken: secret.optional(),
    refreshTokenFile: path.optional(),
    /** Where access tokens are fetched. */
    accessUrl: z.string().refine(isPrivate, {
      error: 'expected the https address of the token endpoint: the refresh token goes there',
    }),
  })
  .refine((given) => isOne(given.clientSecret, given.clientSecretFile), {
    error: 'expected one of clientSecret and clientSecretFile',
  })
  .refine((given) => isOne(given.refreshToken, given.refreshTokenFile), {
    error: 'expected one of refreshToken and refreshTokenFile',
  });

const auth = z
  .strictObject({
    user: z.string().min(1),
    password: secret.optional(),
    passwordFile: path.optional(),
    oauth2: oauth2.optional(),
  })
  .refine((given) => isOne(given.password, given.passwordFile, given.oauth2), {
    error: 'expected one of password, passwordFile and oauth2',
  });

/** A relay, or a provider's submission service. */
const smtp = z
  .strictObject({
    kind: z.literal('smtp'),
    host,
    port: port.default(587),
    /** `starttls`: by STARTTLS, and not without; `implicit`: from the first octet (port 465). */
    tls: z.enum(['starttls', 'implicit', 'none']).default('starttls'),
    /** PEM file of the authority to believe, where it is none of those that all believe. */
    ca: path.optional(),
    auth: auth.optional(),
  })
  .refine(({ tls, auth: given, host: to }) => tls !== 'none' || given === undefined || isLoopback(to), {
    path: ['tls'],
    error: 'expected "starttls" or "implicit": a password does not go over the network without TLS',
  });

const lmtp = z
  .strictObject({
    kind: z.literal('lmtp'),
    /** A unix socket. */
    path: path.optional(),
    host: host.optional(),
    port: port.optional(),
  })
  .refine(
    (given) => isOne(given.path, given.host) && (given.port === undefined) === (given.host === undefined),
    {
      error: 'expected either the path of a socket or a host and a port',
    },
  );

/** Nothing leaves the machine: each message becomes a file. */
const directory = z.strictObject({ kind: z.literal('directory'), folder: path });

const domain = z.string().regex(/^(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/, {
  error: 'expected a domain: example.org',
});

const sender = z.string().regex(/^(?!-)[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+$/, {
  error: 'expected an address: postmaster@example.org',
});

/** What an operator may set; README.md says more about each. */
export const options = z.strictObject({
  transport: z.discriminatedUnion('kind', [sendmail, smtp, lmtp, directory], {
    error: 'expected a transport with kind: sendmail, smtp, lmtp or directory',
  }),
  /** Stands behind names that have none: the sender's, and recipients'. The machine's own if left out. */
  domain: domain.optional(),
  /** Whom mail that cannot be delivered goes back to; the user himself if left out. */
  sender: sender.optional(),
  /** What becomes of a message that claims to be from somebody else. */
  forgedFrom: z.enum(['mark', 'refuse', 'accept']).default('mark'),
  maxMessageOctets: z
    .int()
    .min(1024)
    .max(1024 * mebi)
    .default(50 * mebi),
  maxRecipients: z.int().min(1).max(1000).default(100),
  /** For each user. */
  maxMessagesPerHour: z.int().min(1).max(10_000).default(100),
  /** How long handing a message on may take. */
  timeoutMs: z.int().min(100).max(600_000).default(20_000),
});

export type Options = z.output<typeof options>;
export type TransportOptions = Options['transport'];
export type SmtpOptions = Extract<TransportOptions, { kind: 'smtp' }>;
export type LmtpOptions = Extract<TransportOptions, { kind: 'lmtp' }>;
export type SendmailOptions = Extract<TransportOptions, { kind: 'sendmail' }>;
export type AuthOptions = NonNullable<SmtpOptions['auth']>;

function secretOf(text: string): Secret {
  return new Secret(Buffer.from(text));
}

const isOne = (...given: readonly unknown[]): boolean =>
  given.filter((value) => value !== undefined).length === 1;

function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isLoopback(name: string): boolean {
  if (isIP(name) === 4) return name.startsWith('127.');
  return ['localhost', '::1', '[::1]'].includes(name);
}
