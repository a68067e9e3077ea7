import { inspect } from 'node:util';

import { isVerdict } from '../auth/login.ts';
import { complaintAboutMaildrop } from '../maildrop/complaint.ts';
import { isReply } from '../protocol/reply.ts';
import { isOutcome } from '../session/outcome.ts';

/** Says what is wrong with a plugin's answer; undefined where it is all right. */
export type Complaint = (answer: unknown) => string | undefined;

/**
 * What those who are asked something can answer with. Plugins may be plain JavaScript, so it is looked at
 * where it comes in, while it is known whose it is. Undefined is no opinion wherever the first answer decides.
 */
export const complaints = {
  /** What a command of a plugin's, not the hook before it, comes to. */
  answer: wants('a reply or an outcome', (answer) => isReply(answer) || isOutcome(answer)),
  receive: wants('a reply', isReply),
  /** Of hooks that look at no answer. A promise is one that the plugin takes to be awaited. */
  nothing: wants('nothing: the function is not to be async', (answer) => !(answer instanceof Promise)),
  preface: unlessUndefined(
    wants('an identity or a refusal', (answer) => isIdentity(answer) || isRefusal(answer)),
  ),
  connect: unlessUndefined(wants('a refusal', isRefusal)),
  greeting: unlessUndefined(wants('a text', (answer) => typeof answer === 'string')),
  capabilities: unlessUndefined(wants('a list of texts', isTexts)),
  command: unlessUndefined(wants('a reply', isReply)),
  authenticate: unlessUndefined(wants('what granted(), denied() or unavailable() made', isVerdict)),
  openMaildrop: unlessUndefined(complaintAboutMaildrop),
  maildrop: complaintAboutMaildrop,
} as const satisfies Readonly<Record<string, Complaint>>;

function wants(what: string, accepts: (answer: unknown) => boolean): Complaint {
  return (answer) => (accepts(answer) ? undefined : `${kindOf(answer)} where it is to be ${what}`);
}

function unlessUndefined(complaint: Complaint): Complaint {
  return (answer) => (answer === undefined ? undefined : complaint(answer));
}

/** What an answer is, not what is in it: that may be secret. */
function kindOf(answer: unknown): string {
  if (answer instanceof Promise) return 'a promise';
  return typeof answer === 'object' ? inspect(answer, { depth: -1 }) : typeof answer;
}

function isTexts(answer: unknown): boolean {
  return Array.isArray(answer) && answer.every((line) => typeof line === 'string');
}

function isRefusal(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'text' in answer && typeof answer.text === 'string';
}

function isIdentity(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  const member = (name: string): unknown => Reflect.get(answer, name);
  const isName = (name: string): boolean => typeof member(name) === 'string' && member(name) !== '';
  const isId = (name: string): boolean => Number.isSafeInteger(member(name)) && Number(member(name)) >= 0;
  return isName('user') && isName('home') && isId('uid') && isId('gid');
}
