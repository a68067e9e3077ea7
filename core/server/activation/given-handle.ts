import { Socket } from 'node:net';

/** Keeps a given socket open in a process that does not accept from it, and knows its address. */
export interface GivenHandle {
  /** `127.0.0.1:110`; for a unix socket, the name that it was given by. */
  readonly address: string;
  fd(): number;
  close(): void;
}

/** Throws a system error where the descriptor is no stream socket. */
export function holdGiven({
  inherited,
  descriptor,
}: {
  readonly inherited: string;
  readonly descriptor: number;
}): GivenHandle {
  // Neither reads nor writes: it is a way to ask for the address, and owns the descriptor.
  const handle = new Socket({ fd: descriptor, readable: false, writable: false });
  return {
    address: addressOf(handle) ?? inherited,
    fd: () => descriptor,
    close: () => void handle.destroy(),
  };
}

function addressOf({ localAddress, localPort }: Socket): string | undefined {
  if (localAddress === undefined) return undefined;
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
