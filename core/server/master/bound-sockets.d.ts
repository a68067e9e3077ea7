// What Node 24.21 has and its types do not tell yet.
import type { BoundSocket } from 'node:net';

declare module 'node:net' {
  interface BoundSocketOptions {
    /** A unix socket's file, in place of host and port. */
    readonly path?: string;
  }
}

export type { BoundSocket };
