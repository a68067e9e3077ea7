import { Socket } from 'node:net';

/**
 * Closes what came with a message and nobody has asked for. Left alone it would stay open, and Node, which has begun to, would
 * accept connections for a server and read a socket.
 */
export function closeHandle(handle: unknown): void {
  if (handle instanceof Socket) handle.destroy();
  else if (isClosable(handle)) handle.close();
}

const isClosable = (handle: unknown): handle is { close(): unknown } =>
  typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function';
