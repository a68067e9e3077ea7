import type { Socket } from 'node:net';

/**
 * What Node reads a socket by. It has no other way to stop reading at once: `pause` holds back what was read, and goes on
 * to read.
 */
interface Reader {
  reading: boolean;
  readStart(): unknown;
  readStop(): unknown;
}

/**
 * Leaves what the socket's other end sends in the kernel from here on, for another process. Says whether that came about
 * before an octet was read that nobody has taken.
 */
export function stopReading(socket: Socket): boolean {
  const reader = readerOf(socket);
  if (reader === undefined || socket.readableLength > 0 || socket.readableEnded) return false;
  reader.reading = false;
  reader.readStop();
  return true;
}

/** Reads on, where `stopReading` has stopped it. */
export function goOnReading(socket: Socket): void {
  const reader = readerOf(socket);
  if (reader === undefined || reader.reading) return;
  reader.reading = true;
  reader.readStart();
}

/** Undefined where the socket is closed, or this Node has no such thing. */
function readerOf(socket: Socket): Reader | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isReader(handle) ? handle : undefined;
}

const isReader = (handle: unknown): handle is Reader =>
  typeof handle === 'object' &&
  handle !== null &&
  'reading' in handle &&
  typeof handle.reading === 'boolean' &&
  'readStart' in handle &&
  typeof handle.readStart === 'function' &&
  'readStop' in handle &&
  typeof handle.readStop === 'function';
