/** The message is not sent, and the client can do something about it. `message` is for the client. */
export class Refused extends Error {}

/** The message could not be handed on. `message` is for the client; the log gets `cause` besides. */
export class NotSent extends Error {}

/** Some have the message, and these have not. */
export class PartlySent extends NotSent {
  readonly rejected: readonly string[];

  constructor(rejected: readonly string[]) {
    super(`Sent, but not to ${rejected.join(', ')}`);
    this.rejected = rejected;
  }
}
