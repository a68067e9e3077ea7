import { Failure } from '../protocol/failure.ts';

interface Options {
  readonly code: Failure['code'];
  readonly cause?: unknown;
  /** What is gone for good. The rest of what was to be removed stays. */
  readonly removed: { readonly messages: number; readonly octets: number };
}

/** Thrown by `Maildrop.commit`: some messages are removed and some are not, which log and statistics are to tell apart. */
export class PartlyRemoved extends Failure {
  readonly removed: Options['removed'];

  constructor(text: string, { code, cause, removed }: Options) {
    super(text, { ...(code !== undefined && { code }), cause });
    this.name = 'PartlyRemoved';
    this.removed = removed;
  }
}
