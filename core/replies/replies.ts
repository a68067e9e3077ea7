import type { UsageFault } from '../protocol/arguments.ts';

/** So many messages of so many octets in all. */
export interface Amount {
  readonly messages: number;
  readonly octets: number;
}

/** What is said of a message number that leads to no message. */
export interface NoMessage {
  unknown(number: number): string;
  deleted(number: number): string;
}

/** A command as its client knows it. */
export interface NamedCommand {
  readonly keyword: string;
  readonly usage: string;
}

/** The words of the replies that clients have been given in more than one wording. Texts stand behind `+OK` or `-ERR`, and codes are not part of them. */
export interface Replies {
  greeting(): string;
  /** USER was taken. */
  passwordWanted(user: string): string;
  /** PASS without USER. */
  userWanted(): string;
  loginRefused(user: string): string;
  loggedIn(user: string, drop: Amount): string;
  /** The first line of LIST without a number. */
  listing(left: Amount): string;
  retrieved(octets: number): string;
  /** TOP; the octets are those of the whole message. */
  top(octets: number): string;
  deleted(number: number): string;
  reset(drop: Amount): string;
  /** The first line of UIDL without a number. */
  uniqueIds(): string;
  farewell(): string;
  /** For LIST, RETR, TOP, and commands of plugins. */
  readonly noMessage: NoMessage;
  readonly noMessageToDelete: NoMessage;
  readonly noUniqueId: NoMessage;
  /** `words`: what was sent, in so many words as a keyword may have. */
  unknownCommand(words: string): string;
  outOfPlace(command: NamedCommand, state: string): string;
  wrongArguments(command: NamedCommand, fault: UsageFault): string;
}
