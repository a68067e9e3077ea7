import { isThisMachine } from '../../session/password-rule.ts';
import type { Listen, Settings } from '../../settings.ts';
import { addressOf } from '../listener.ts';

/** What an operator is to know of a configuration that is as it may be, and maybe not as he meant it. */
export interface Advice {
  readonly what: string;
  readonly fix: string;
}

/** Who cannot log in because passwords are not taken without TLS, and there is none; undefined where all can. */
export function loginAdvice({ listen, tls, cleartextLogin }: Settings): Advice | undefined {
  if (tls !== undefined || cleartextLogin === 'always') return undefined;
  const fix = `set tls: { certificate, key }; or, on a network where nobody listens in, cleartextLogin: 'always'`;
  if (cleartextLogin === 'never') {
    return { what: "cleartextLogin is 'never' and there is no TLS: no password can log in", fix };
  }
  const elsewhere = listen.filter(isForOthers).map(addressOf);
  if (elsewhere.length === 0) return undefined;
  const what = `there is no TLS, and passwords are not taken without it but from this machine: nobody can log in from elsewhere by a password, though ${elsewhere.join(', ')} is open`;
  return { what, fix };
}

/** To whom an inherited socket is open is not in the configuration; most are to everybody. */
const isForOthers = (where: Listen): boolean =>
  !('path' in where) && ('inherited' in where || where.host === undefined || !isThisMachine(where.host));
