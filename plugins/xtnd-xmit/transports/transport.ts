import { stat } from 'node:fs/promises';

import type { Checkup } from 'popperd';

import type { LineEnd } from '../line-ends.ts';
import type { Letter } from '../receive.ts';

/** A way on for messages. */
export interface Transport {
  readonly lineEnd: LineEnd;
  /** Hands it on, to all recipients. Throws a NotSent where the client is to hear more than that it did not work. */
  send(letter: Letter, signal: AbortSignal): Promise<void>;
  /** What `popper check` finds: undefined where all is well. */
  fault(isolation?: Isolation): Promise<Fault | undefined>;
}

/** With `user` it is users who send, as themselves. */
export type Isolation = Checkup['isolation'];

export interface Fault {
  readonly kind: 'warning' | 'problem';
  readonly what: string;
  readonly fix: string;
}

/** Whether it has these permission bits for whoever is neither its owner nor in its group, as most users are not. */
export const isOpenToAll = async (path: string, bits: number): Promise<boolean> =>
  ((await stat(path)).mode & bits) === bits;
