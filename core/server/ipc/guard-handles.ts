import type { ChildProcess } from 'node:child_process';

import { closeHandle } from '../user/foreign-handle.ts';

/**
 * Keeps Node from throwing in this process at what a child sends: a handle of a kind that Node does not know, or that is not of the
 * kind that it is said to be, or a receipt for a handle that was never sent (Node 24, lib/internal/child_process.js). Only
 * connections are ever sent here. Whatever else is taken out of the message, and `odd` is called: such a child is not ours any more.
 */
export function guardHandles(child: ChildProcess, odd: () => void): void {
  child.prependListener('internalMessage', (message: unknown, handle: unknown) => {
    if (!isInternal(message) || isInOrder(message, handle, child)) return;
    message.cmd = 'NODE_NOTHING';
    closeHandle(handle);
    odd();
  });
}

interface Internal {
  cmd: string;
  readonly type?: unknown;
}

const isInternal = (message: unknown): message is Internal =>
  typeof message === 'object' && message !== null && 'cmd' in message && typeof message.cmd === 'string';

function isInOrder({ cmd, type }: Internal, handle: unknown, child: ChildProcess): boolean {
  if (cmd === 'NODE_HANDLE_ACK' || cmd === 'NODE_HANDLE_NACK') return awaitsReceipt(child);
  if (cmd !== 'NODE_HANDLE') return true;
  // One that was lost on the way is asked for again.
  return handle === undefined || handle === null || (type === 'net.Socket' && isConnection(handle));
}

/** Node keeps what is to be sent after a handle until that one is acknowledged. */
function awaitsReceipt(child: ChildProcess): boolean {
  const kept: unknown = Reflect.get(child, '_handleQueue');
  return Array.isArray(kept);
}

const isConnection = (handle: unknown): boolean =>
  typeof handle === 'object' && handle !== null && 'readStart' in handle && 'shutdown' in handle;
