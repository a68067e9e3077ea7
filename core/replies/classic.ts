import type { UsageFault } from '../protocol/arguments.ts';
import type { NamedCommand, NoMessage, Replies } from './replies.ts';

/** Where the server is, and which version of it. */
export interface Host {
  readonly hostname: string;
  readonly version: string;
}

const noMessage: NoMessage = {
  unknown: (number) => `Message ${number} does not exist.`,
  deleted: (number) => `Message ${number} has been deleted.`,
};

/** The words of the classic popper, as its 2.x releases had them. */
export const classicReplies = ({ hostname, version }: Host): Replies => ({
  greeting: () => `QPOP (version ${version}) at ${hostname} starting.`,
  passwordWanted: (user) => `Password required for ${user}.`,
  userWanted: () => unknownCommand('PASS'),
  loginRefused: (user) => `Password supplied for "${user}" is incorrect.`,
  loggedIn: (user, { messages, octets }) =>
    `${user} has ${messages} ${messages === 1 ? 'message' : 'messages'} (${octets} octets).`,
  listing: ({ messages, octets }) => `${messages} messages (${octets} octets)`,
  retrieved: (octets) => `${octets} octets`,
  top: (octets) => `${octets} octets`,
  deleted: (number) => `Message ${number} has been deleted.`,
  reset: ({ messages, octets }) => `Maildrop has ${messages} messages (${octets} octets)`,
  uniqueIds: () => 'uidl command accepted.',
  farewell: () => `Pop server at ${hostname} signing off.`,
  noMessage,
  noMessageToDelete: { ...noMessage, deleted: (number) => `Message ${number} has already been deleted.` },
  noUniqueId: {
    unknown: (number) => `Message ${number} out of range.`,
    deleted: (number) => `Message ${number} has been marked for deletion.`,
  },
  unknownCommand,
  // It knew a command only in the states that the command has a place in.
  outOfPlace: ({ keyword }) => unknownCommand(keyword),
  wrongArguments,
});

/** It kept keywords in small letters, and showed them so. */
const unknownCommand = (words: string): string => `Unknown command: "${words.toLowerCase()}".`;

function wrongArguments({ keyword, usage }: NamedCommand, fault: UsageFault): string {
  const command = keyword.toLowerCase();
  if (fault.kind === 'missing') return `Too few arguments for the ${command} command.`;
  if (fault.kind === 'left over') return `Too many arguments for the ${command} command.`;
  return fault.kind === 'no message number' ? `Message ${fault.word} does not exist.` : `usage: ${usage}`;
}
