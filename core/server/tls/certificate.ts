import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

import type { TlsSettings } from '../../settings.ts';
import { TlsFault } from './tls-fault.ts';

/** What the two files hold, as PEM. */
export interface Pem {
  /** The server's own certificate first, then those that lead to a root. */
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/** A certificate that can be served: it and its key belong together. Whether it is its time is another matter. */
export interface Certificate {
  readonly context: SecureContext;
  /** The names that it is for, as it has them: `DNS:mail.example.org`. */
  readonly names: string;
  readonly validFrom: Date;
  readonly validTo: Date;
}

/** Makes it ready to be served. Throws a TlsFault where certificate or key are none, or not one of the other. */
export function certificateOf(pem: Pem, settings: TlsSettings): Certificate {
  const first = firstCertificate(pem, settings);
  if (!first.checkPrivateKey(privateKey(pem, settings))) {
    throw new TlsFault(
      `tls.key: ${settings.key} is not the key of the first certificate in ${settings.certificate}`,
      "name the key that the certificate was made for; in a chain the server's own certificate comes first",
    );
  }
  return {
    context: contextOf(pem, settings),
    names: first.subjectAltName ?? first.subject,
    validFrom: new Date(first.validFrom),
    validTo: new Date(first.validTo),
  };
}

/** Why clients would refuse it at that time; undefined where they have no reason. */
export function untimely(certificate: Certificate, settings: TlsSettings, at: Date): TlsFault | undefined {
  const { validFrom, validTo } = certificate;
  if (at > validTo) {
    const what = `tls.certificate: ${settings.certificate} expired at ${validTo.toISOString()}`;
    return new TlsFault(what, 'renew it: clients refuse it');
  }
  if (at >= validFrom) return undefined;
  const what = `tls.certificate: ${settings.certificate} is not valid before ${validFrom.toISOString()}`;
  return new TlsFault(what, "wait until then, or set this machine's clock: clients refuse it");
}

function firstCertificate({ certificate }: Pem, settings: TlsSettings): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (error) {
    const what = `tls.certificate: ${settings.certificate} holds no certificate in PEM form`;
    throw new TlsFault(what, 'it begins with -----BEGIN CERTIFICATE-----', error);
  }
}

function privateKey({ key }: Pem, settings: TlsSettings): KeyObject {
  try {
    return createPrivateKey(Buffer.from(key));
  } catch (error) {
    if (lockedKey.test(Buffer.from(key).toString('latin1'))) {
      const what = `tls.key: ${settings.key} is locked by a passphrase, and a daemon has nobody to ask for it`;
      const fix = `write it without one: openssl pkey -in ${settings.key} -out NEW, and let tls.key be NEW`;
      throw new TlsFault(what, fix, error);
    }
    const what = `tls.key: ${settings.key} holds no private key in PEM form`;
    throw new TlsFault(what, 'it begins with -----BEGIN PRIVATE KEY-----, or with its kind of key', error);
  }
}

/** In PKCS 8, and as OpenSSL wrote it before. What Node says of either depends on its version. */
const lockedKey = /^(?:-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m;

function contextOf({ certificate, key }: Pem, settings: TlsSettings): SecureContext {
  try {
    return createSecureContext({
      cert: Buffer.from(certificate),
      key: Buffer.from(key),
      minVersion: settings.minVersion,
      honorCipherOrder: true,
      // A client of TLS 1.2 could otherwise have the costly half of the work done again and again.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const what = `tls.certificate: ${settings.certificate} cannot be served: ${why}`;
    throw new TlsFault(what, 'look at each certificate in the file, and at the size of the key', error);
  }
}
