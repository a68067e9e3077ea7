import { isNameServer } from 'popperd';
import { z } from 'zod';

import { isNetwork } from './networks.ts';

const network = z
  .string()
  .refine(isNetwork, { error: 'expected a network or an address, such as "192.0.2.0/24" or "2001:db8::1"' });

const server = z.string().refine(isNameServer, {
  error: 'expected an address of a name server, such as "192.0.2.53" or "[2001:db8::53]:5353"',
});

/** What an operator may set; README.md says more about each. */
export const options = z.strictObject({
  /** Where clients may come from that are believed. */
  from: z
    .array(network, { error: 'expected a list of networks whose every administrator is trusted' })
    .min(1, { error: 'expected one network or more' }),
  /** Users with a lower uid are refused. */
  minUid: z
    .int({ error: 'expected a uid, 1 or more' })
    .min(1, { error: 'expected a uid, 1 or more: root does not get in' })
    .max(4_294_967_294)
    .default(11),
  /** Whose users there are. Absolute, or from the folder of the configuration file. */
  passwd: z.string().min(1).default('/etc/passwd'),
  /** How long the name of a client is looked for. */
  timeoutMs: z.int({ error: 'expected milliseconds, 10 to 20000' }).min(10).max(20_000).default(5000),
  /** Name servers; left out, the system's. */
  servers: z.array(server, { error: 'expected a list of name servers' }).min(1).optional(),
});

export type Options = z.output<typeof options>;
