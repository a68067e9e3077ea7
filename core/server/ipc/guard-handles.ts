import type { ChildProcess } from 'node:child_process';

import { closeHandle } from '../user/foreign-handle.ts';

/**
 * Keeps Node from throwing in this process at what a child sends: a handle of a kind that Node does not know, or that is not of the
 * kind that it is said to be, or a receipt for a handle that was never sent (Node 24, lib/internal/child_process.js). Only
 * connections are ever sent here. Whatever else is taken out of the message, and `odd` is called: such a child is not ours any more.
 */
export function guardHandles(child: ChildProcess, odd: () => void): void {
  guardReading(child, odd);
  child.prependListener('internalMessage', (message: unknown, handle: unknown) => {
    if (!isInternal(message) || isInOrder(message, handle, child)) return;
    message.cmd = 'NODE_NOTHING';
    closeHandle(handle);
    odd();
  });
}

/** What is not even JSON Node throws at where it reads, before anybody has been told of it. */
function guardReading(child: ChildProcess, odd: () => void): void {
  const symbol = Object.getOwnPropertySymbols(child).find(
    ({ description }) => description === 'kChannelHandle',
  );
  const channel: unknown = symbol && Reflect.get(child, symbol);
  if (typeof channel !== 'object' || channel === null || !('onread' in channel)) return;
  const { onread } = channel;
  if (typeof onread !== 'function') return;
  channel.onread = function read(...octets: unknown[]): void {
    try {
      Reflect.apply(onread, this, octets);
    } catch {
      odd();
    }
  };
}

interface Internal {
  cmd: string;
  readonly type?: unknown;
  readonly key?: unknown;
}

const isInternal = (message: unknown): message is Internal =>
  typeof message === 'object' && message !== null && 'cmd' in message && typeof message.cmd === 'string';

function isInOrder({ cmd, type, key }: Internal, handle: unknown, child: ChildProcess): boolean {
  if (cmd === 'NODE_HANDLE_ACK' || cmd === 'NODE_HANDLE_NACK') return awaitsReceipt(child);
  if (cmd !== 'NODE_HANDLE') return true;
  // One that was lost on the way is asked for again.
  if (handle === undefined || handle === null) return true;
  return type === 'net.Socket' && isConnection(handle) && isServer(key);
}

/** Node keeps what is to be sent after a handle until that one is acknowledged. */
function awaitsReceipt(child: ChildProcess): boolean {
  const kept: unknown = Reflect.get(child, '_handleQueue');
  return Array.isArray(kept);
}

/** By which Node keeps a list of the connections of each server that a child has. */
const isServer = (key: unknown): boolean => key === undefined || (typeof key === 'string' && !(key in {}));

const isConnection = (handle: unknown): boolean =>
  typeof handle === 'object' && handle !== null && 'readStart' in handle && 'shutdown' in handle;
