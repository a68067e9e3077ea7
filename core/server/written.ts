import type { Socket } from 'node:net';

/** Writes; resolves when the kernel has taken all that was written to it, or never will. */
export function written(socket: Socket, octets: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.write(octets, () => resolve());
  });
}
