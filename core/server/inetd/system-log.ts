import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { printableLine } from '../../log/sanitise.ts';
import { DatagramFailure, DatagramSocket, type UnixAddress } from '../datagram.ts';

export interface SystemLogOptions {
  /** How long a syslog that takes nothing is waited for. */
  readonly patienceMs?: number;
}

/** Facility local0, where the classic popper logged, and severity err (RFC 5424 section 6.2.1). */
const priority = 16 * 8 + 3;
const maxOctets = 1024;
/** The kernel's word for a receiver that has not read what is there already. */
const busyCodes = ['EAGAIN', 'ENOBUFS'];
const busyMs = 20;

/**
 * Takes lines to this machine's syslog: the standard error of a process that has none. What no syslog takes is lost, for nobody is
 * left to be told.
 */
export const systemLog = (
  to: UnixAddress = '/dev/log',
  { patienceMs = 2000 }: SystemLogOptions = {},
): Writable => {
  let waitMs = patienceMs;
  const write = async (text: string): Promise<void> => {
    const startedAtMs = performance.now();
    await tell(text, to, waitMs);
    // One that takes nothing is not waited for again.
    if (performance.now() - startedAtMs >= waitMs) waitMs = 0;
  };
  return new Writable({
    write: (chunk, _encoding, done) => void write(String(chunk)).finally(done),
  });
};

async function tell(text: string, to: UnixAddress, patienceMs: number): Promise<void> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const socket = await DatagramSocket.open().catch(() => undefined);
  if (socket === undefined) return;
  try {
    const endMs = performance.now() + patienceMs;
    for (const line of lines) await send(Buffer.from(messageOf(line)), { socket, to, endMs });
  } catch {
    // Nobody is there.
  } finally {
    socket.close();
  }
}

interface Sending {
  readonly socket: DatagramSocket;
  readonly to: UnixAddress;
  readonly endMs: number;
}

/** Throws where it cannot be sent, or not in time. */
async function send(message: Buffer, { socket, to, endMs }: Sending): Promise<void> {
  for (;;) {
    try {
      return socket.send(message, to);
    } catch (error) {
      const isBusy = error instanceof DatagramFailure && busyCodes.includes(error.code);
      if (!isBusy || performance.now() > endMs) throw error;
      await delay(busyMs);
    }
  }
}

/** As /dev/log takes it (RFC 3164 section 4.1): local time, and a space before a day below ten. */
function messageOf(line: string): string {
  const now = new Date().toString();
  const time = `${now.slice(4, 10).replace(' 0', '  ')} ${now.slice(16, 24)}`;
  return printableLine(`<${priority}>${time} popper[${process.pid}]: ${line}`, maxOctets);
}
