import { counted } from '../counted.ts';
import type { Amount, NoMessage, Replies } from './replies.ts';

const amount = ({ messages, octets }: Amount): string =>
  `${counted(messages, 'message')} (${counted(octets, 'octet')})`;

const noMessage: NoMessage = {
  unknown: (number) => `there is no message ${number}`,
  deleted: (number) => `message ${number} is deleted`,
};

/** popper's own words. */
export const plainReplies: Replies = {
  greeting: () => 'popper ready',
  passwordWanted: () => 'send PASS',
  userWanted: () => 'USER first',
  loginRefused: () => 'login refused',
  loggedIn: (_, drop) => `maildrop has ${amount(drop)}`,
  listing: amount,
  retrieved: (octets) => `${octets} octets`,
  top: () => 'top of message follows',
  deleted: (number) => `message ${number} deleted`,
  reset: (drop) => `maildrop has ${amount(drop)}`,
  uniqueIds: () => 'unique-id listing follows',
  farewell: () => 'bye',
  noMessage,
  noMessageToDelete: noMessage,
  noUniqueId: noMessage,
  unknownCommand: () => 'unknown command',
  outOfPlace: ({ keyword }, state) => `${keyword} has no place in the ${state} state`,
  wrongArguments: ({ usage }) => `usage: ${usage}`,
};
