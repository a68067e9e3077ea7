import { BlockList, isIP } from 'node:net';

import { definePlugin, isNameServer, lookUpHost, ownVersion } from 'popperd';
import { z } from 'zod';

import { findingOf } from './finding.ts';
import { KnownHosts } from './known-hosts.ts';
import { warningOf } from './warning.ts';

const server = z.string().refine(isNameServer, {
  error:
    'expected an address of a name server, such as "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"',
});

const optionsSchema = z.strictObject({
  timeoutMs: z.int().min(10).max(60_000).default(5000),
  servers: z.array(server).min(1).optional(),
  cacheMs: z.int().min(0).max(86_400_000).default(300_000),
  cacheAddresses: z.int().min(0).max(1_000_000).default(10_000),
});

/** Warns where a client's address and its host name do not say the same of each other. */
export default definePlugin({
  name: 'peer-check',
  options: optionsSchema,

  apply({ hooks, log }, { timeoutMs, servers, cacheMs, cacheAddresses }) {
    const hosts = new KnownHosts({
      cacheMs,
      cacheAddresses,
      lookUp: async (address, signal) => findingOf(await lookUpHost(address, { timeoutMs, servers, signal })),
    });
    const check = async (address: string): Promise<void> => {
      const finding = await hosts.find(address);
      if (finding === undefined) return;
      const warning = warningOf(finding, address, ownVersion);
      // As one line, without fields: that is what is looked for.
      if (warning !== undefined) log.info(warning);
      else if (finding.kind === 'agrees') log.debug('client name', { address, name: finding.name });
    };
    hooks.connect.tapPromise('peer-check', async ({ address }) => {
      // Beside the session, which goes on whatever is found, and is never kept waiting for it.
      if (isStranger(address)) void check(address);
      return undefined;
    });
    hooks.stop.tapPromise('peer-check', async () => hosts.close());
  },
});

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Clients of this machine, of a unix socket or of a pipe have no address that says who they are. */
function isStranger(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
