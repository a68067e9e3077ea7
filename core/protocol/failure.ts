import type { ResponseCode } from './reply.ts';

/**
 * A failure that the client is told about. `text` goes over the wire, so it names no file, host or user that the
 * client does not already know; the details go in `cause`, which only the log sees.
 */
export class Failure extends Error {
  readonly code: ResponseCode | undefined;

  constructor(text: string, options: { readonly code?: ResponseCode; readonly cause?: unknown } = {}) {
    super(text, { cause: options.cause });
    this.name = 'Failure';
    this.code = options.code;
  }
}
