import type { Command } from '../commands/command.ts';

/**
 * Whether anybody may see what a client sent behind a command's keyword. There may be a password in the wrong place among it: before the
 * login wherever it is not just what the command asks for there, and later behind a command that belongs to the login.
 */
export function mayShow(command: Command, words: string, isLoggedIn: boolean): boolean {
  if (command.secret) return false;
  if (words === '') return true;
  const belongsToLogin = command.states.includes('AUTHORIZATION');
  return belongsToLogin ? command.fits(words) : isLoggedIn;
}
