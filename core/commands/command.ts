import { Arguments } from '../protocol/arguments.ts';
import type { Reply } from '../protocol/reply.ts';
import type { Outcome } from '../session/outcome.ts';
import type { Session, SessionIn, State } from '../session/session.ts';

type Result = Reply | Outcome | Promise<Reply | Outcome>;

interface Definition<S extends State, A> {
  /** One word (`LIST`), or two for an extended command (`XTND XLIST`). */
  readonly keyword: string;
  readonly states: readonly S[];
  /** Shown after `-ERR usage:` when `parse` throws. */
  readonly usage: string;
  /** The CAPA line that announces this command (RFC 2449 section 6), if it has one. */
  readonly capability?: string;
  /**
   * What a client is told on whose connection the command cannot be used, whatever its state; CAPA does not announce it there.
   * Undefined where it can be.
   */
  readonly refuse?: (session: Session) => Reply | undefined;
  /** True where the command needs no more of the maildrop than `count` and `totalOctets` (`Maildrop.load`). */
  readonly countsOnly?: boolean;
  /** True where the command marks messages to be removed: a store is asked first whether anything may be (`Maildrop.mayDelete`). */
  readonly marks?: boolean;
  /** True where the command line holds a secret: it is masked before any trace sees it. */
  readonly secret?: boolean;
  /** Reads the arguments from left to right, and does nothing else. Throws `UsageError`; words it leaves over do so for it. */
  readonly parse: (args: Arguments) => A;
  run(args: NoInfer<A>, session: SessionIn<S>): Result;
}

/** A command as the table holds it. */
export interface Command {
  readonly keyword: string;
  readonly states: readonly State[];
  readonly usage: string;
  readonly capability: string | undefined;
  readonly countsOnly: boolean;
  readonly marks: boolean;
  readonly secret: boolean;
  /** What is said instead of running it on a connection where it cannot be used. */
  refuse(session: Session): Reply | undefined;
  /** Whether this is what its usage asks for behind the keyword. */
  fits(text: string): boolean;
  /** The command made ready for this session, or undefined where the session's state rules it out. */
  forSession(session: Session): ((text: string) => Result) | undefined;
}

/** Checks a command's types here, where it is written; the closure then hides them from the table. */
export function defineCommand<const S extends State, A>(definition: Definition<S, A>): Command {
  const {
    keyword,
    states,
    usage,
    capability,
    countsOnly = false,
    marks = false,
    secret = false,
  } = definition;
  if (!/^[A-Z0-9-]+( [A-Z0-9-]+)?$/.test(keyword)) {
    throw new TypeError(`a command's keyword is one or two upper-case words, got "${keyword}"`);
  }
  const allowed = (session: Session): session is SessionIn<S> =>
    states.some((state) => state === session.state);
  return {
    keyword,
    states,
    usage,
    capability,
    countsOnly,
    marks,
    secret,
    refuse: (session) => definition.refuse?.(session),
    fits: (text) => isReadBy(definition.parse, text),
    forSession: (session) =>
      allowed(session)
        ? (text) => definition.run(Arguments.parse(text, definition.parse), session)
        : undefined,
  };
}

function isReadBy(parse: (args: Arguments) => unknown, text: string): boolean {
  try {
    Arguments.parse(text, parse);
    return true;
  } catch {
    return false;
  }
}
