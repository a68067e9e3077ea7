import { accountFile } from './account-file.ts';
import { Gate } from './gate.ts';
import { PasswordChecker } from './password-checker.ts';
import { verify } from './verify.ts';

/**
 * Whether this user of the file logs in with this password; `report` is told of lines that cannot be used. Throws a
 * FileFault where the file cannot.
 */
export async function verifyPassword(
  file: string,
  { user, password }: { readonly user: string; readonly password: Uint8Array },
  report: (what: string, fix: string) => void = () => {},
): Promise<{ readonly isRight: boolean; readonly reason: string }> {
  const accounts = accountFile(file, report);
  await accounts.current();
  const checker = new PasswordChecker({ accounts, gate: new Gate({ running: 1, waiting: 0 }), verify });
  const answer = await checker.check(user, password, new AbortController().signal);
  if (answer.kind === 'right') return { isRight: true, reason: 'the password is right' };
  return {
    isRight: false,
    reason: answer.kind === 'unknown' ? `${file}: there is no user ${user}` : answer.reason,
  };
}
