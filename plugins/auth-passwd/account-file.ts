import { type Accounts, parseAccounts } from './parse-accounts.ts';
import { ParsedFile, type ParsedFileOptions } from './parsed-file.ts';

/**
 * A password file whose accounts are read anew when it changes. `report` is told of each problem once for each version. `daemon` is
 * whose the file may be, besides root's; left out, this process's user's.
 */
export const accountFile = (
  file: string,
  report: ParsedFileOptions<Accounts>['report'],
  daemon?: ParsedFileOptions<Accounts>['daemon'],
): ParsedFile<Accounts> => new ParsedFile(file, { parse: parseAccounts, report, isSecret: true, daemon });
