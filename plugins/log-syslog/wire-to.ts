import type { Destination } from './destination.ts';
import { StreamWire } from './stream-wire.ts';
import { UdpWire } from './udp-wire.ts';
import { UnixWire } from './unix-wire.ts';
import type { Wire } from './wire.ts';

/** The way to a destination; `ca` is what a receiver's certificate has to lead to, as PEM. */
export function wireTo(destination: Destination, ca: string | undefined): Wire {
  if (destination.kind === 'unix') return new UnixWire(destination.path);
  const { kind, host, port } = destination;
  if (kind === 'udp') return new UdpWire(host, port);
  return new StreamWire({ host, port, ...(kind === 'tls' && { tls: { ca } }) });
}
