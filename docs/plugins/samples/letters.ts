import { timingSafeEqual } from 'node:crypto';

import type { Claim, Identity, Maildrop, PluginState } from 'popperd';

const password = Buffer.from('secret');

/** The small back end of every-hook.ts: one message in memory for each of two users. */
export function lettersOf(state: PluginState) {
  const notes: string[] = [];
  return {
    prepare: async (): Promise<void> => {},
    finish: async (): Promise<void> => {},
    reachable: async (): Promise<boolean> => true,
    recover: async (folder: string): Promise<void> => void notes.push(folder),
    identityFrom: (octets: Uint8Array): Identity => ({
      user: Buffer.from(octets).toString('latin1').trim(),
      uid: 1000,
      gid: 1000,
      home: '/',
    }),
    knows: (user: string): boolean => ['careful', 'archive'].includes(user),
    opens: (_user: string, proof: Uint8Array): boolean =>
      proof.length === password.length && timingSafeEqual(proof, password),
    maildropFor: (user: string, claim: Claim): Maildrop => letter(`To: ${user}\r\n\r\nHello.\r\n`, claim),
    note: (text: string): void => void notes.push(text),
    notes,
    state,
  };
}

function letter(text: string, claim: Claim): Maildrop {
  const octets = Buffer.from(text);
  return {
    count: 1,
    totalOctets: octets.length,
    octetsOf: () => octets.length,
    uidOf: () => 'letter-1',
    read: async function* read() {
      yield octets;
    },
    commit: async () => {},
    close: () => claim.release(),
  };
}
