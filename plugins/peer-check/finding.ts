import type { HostName, HostNames, NoHostName } from 'popperd';

/** What is to be said of a client: by the name that agrees with its address, or else by the first. */
export type Finding = HostName | NoHostName;

export function findingOf(host: HostNames): Finding {
  if (host.kind === 'no name') return host;
  return host.names.find(({ kind }) => kind === 'agrees') ?? host.names[0];
}
