/** The message is not sent, and the client can do something about it. `message` is for the client. */
export class Refused extends Error {}

/** The message could not be handed on. `message` is for the client; the log gets `cause` besides. */
export class NotSent extends Error {}
