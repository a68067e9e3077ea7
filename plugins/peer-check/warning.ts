import { printableWord } from 'popperd';

import type { Finding } from './finding.ts';

const longestNameOctets = 253;

/** The classic popper's line for a finding; undefined where there is nothing to warn of. */
export function warningOf(finding: Finding, address: string, version: string): string | undefined {
  if (finding.kind === 'agrees') return undefined;
  if (finding.kind === 'no name')
    return `(v${version}) Unable to get canonical name of client, err = ${finding.errorNumber}`;
  const name = printableWord(finding.name, longestNameOctets);
  return finding.kind === 'unknown'
    ? `Client at "${address}" resolves to an unknown host name "${name}"`
    : `Client address "${address}" not listed for its host name "${name}"`;
}
