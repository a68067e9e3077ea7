import { loginAdvice } from '../server/tls/advice.ts';
import { certificateOf, untimely } from '../server/tls/certificate.ts';
import { exposed, readPem } from '../server/tls/read-pem.ts';
import { TlsFault } from '../server/tls/tls-fault.ts';
import type { Settings, TlsSettings } from '../settings.ts';

/** Where findings go. */
export interface Findings {
  fine(what: string): void;
  warning(what: string, fix: string): void;
  problem(what: string, fix: string): void;
}

/** What `popper check` says of certificate and key, and of who can log in without them. */
export async function checkTls(settings: Settings, findings: Findings): Promise<void> {
  const advice = loginAdvice(settings);
  if (advice) findings.warning(advice.what, advice.fix);
  if (settings.tls === undefined) return;
  try {
    await checkCertificate(settings.tls, findings);
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    findings.problem(error.what, error.fix);
  }
}

async function checkCertificate(tls: TlsSettings, findings: Findings): Promise<void> {
  const certificate = certificateOf(await readPem(tls), tls);
  const faults = [untimely(certificate, tls, new Date()), await exposed(tls)].filter(
    (fault) => fault !== undefined,
  );
  for (const { what, fix } of faults) findings.problem(what, fix);
  if (faults.length > 0) return;
  const { names, validTo } = certificate;
  findings.fine(`tls.certificate: for ${names}, valid to ${validTo.toISOString()}`);
}
