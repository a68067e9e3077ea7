import type { LineEnd } from '../line-ends.ts';
import type { Letter } from '../receive.ts';

/** A way on for messages. */
export interface Transport {
  readonly lineEnd: LineEnd;
  /** Hands it on, to all recipients. Throws a NotSent where the client is to hear more than that it did not work. */
  send(letter: Letter, signal: AbortSignal): Promise<void>;
  /** What `popper check` finds: undefined where all is well. */
  fault(): Promise<Fault | undefined>;
}

export interface Fault {
  readonly what: string;
  readonly fix: string;
}
