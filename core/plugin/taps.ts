import type { Identity } from '../auth/login.ts';
import type { Logger } from '../log/logger.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { madeBy, NotWrapped } from '../maildrop/makers.ts';
import { type Complaint, complaints } from './answers.ts';
import { type Checkup, checkupOf } from './checkup.ts';
import { type Guarded, guardAsync, guardSync } from './guard.ts';
import type { Hooks } from './hooks.ts';
import type { PluginsAtWork } from './plugins-at-work.ts';

/** A tap's name, for traces and for `before`; or the name with its place among the other taps. */
export type TapOptions =
  | string
  | { readonly name: string; readonly stage?: number; readonly before?: string };

/**
 * An async hook as plugins see it: they add to it, and only the core calls it. tapable's `tap` is not there for types,
 * because it does not await; for plain JavaScript it is there and does the same as `tapPromise`.
 */
export interface AsyncTaps<A extends readonly unknown[], R> {
  tapPromise(options: TapOptions, fn: (...args: A) => Promise<R>): void;
}

export interface SyncTaps<A extends readonly unknown[], R> {
  tap(options: TapOptions, fn: (...args: A) => R): void;
}

interface AsyncHookOf<A extends readonly unknown[], R> {
  readonly name: string | undefined;
  tapPromise(options: { name: string }, fn: (...args: A) => Promise<R>): void;
}

interface TapGuard {
  readonly plugin: string;
  readonly log: Logger;
  /** The daemon's own, which the `log` hook does not hear. */
  readonly ownLog: Logger;
  readonly atWork: PluginsAtWork;
  /** How long a tap of this hook may take until it counts as slow, and until it counts as hung. */
  readonly timesOf: (hook: string) => Pick<Guarded<never>, 'slowAfterMs' | 'deadlineMs'>;
}

/** The hooks that one plugin is handed: each tap it adds is guarded and carries its name. */
export function tapsFor(hooks: Hooks, guard: TapGuard) {
  const taps = <A extends readonly unknown[], R>(
    hook: AsyncHookOf<A, R>,
    care: Care<A, R> = {},
  ): AsyncTaps<A, R> => asyncTaps(hook, guard, care);

  return Object.freeze({
    start: taps(hooks.start),
    listening: taps(hooks.listening),
    stop: taps(hooks.stop),
    check: checkTaps(hooks.check, guard),
    recover: taps(hooks.recover),
    preface: taps(hooks.preface, { complaint: complaints.preface }),
    connect: taps(hooks.connect, { complaint: complaints.connect }),
    greeting: syncTaps(hooks.greeting, guard, complaints.greeting),
    capabilities: syncTaps(hooks.capabilities, guard, complaints.capabilities),
    command: Object.freeze({
      for: (keyword: string) => taps(hooks.command.for(keyword), { complaint: complaints.command }),
    }),
    answer: Object.freeze({
      for: (keyword: string) => syncTaps(hooks.answer.for(keyword), guard, complaints.nothing),
    }),
    authenticate: taps(hooks.authenticate, { complaint: complaints.authenticate }),
    refused: taps(hooks.refused),
    openMaildrop: taps(hooks.openMaildrop, {
      complaint: complaints.openMaildrop,
      unused: closeUnused(guard),
      around: signed(guard.plugin),
    }),
    maildrop: taps(hooks.maildrop, { complaint: complaints.maildrop, around: wrapping(guard.plugin) }),
    commit: taps(hooks.commit),
    sessionEnd: taps(hooks.sessionEnd),
    wire: syncTaps(hooks.wire, guard, complaints.nothing),
    // A sink that fails late would hear of it, and fail again.
    log: syncTaps(hooks.log, { ...guard, log: guard.ownLog }, complaints.nothing),
  });
}

export type PluginHooks = ReturnType<typeof tapsFor>;

type Tap<A extends readonly unknown[], R> = (...args: A) => Promise<R>;

/** What is done with an answer besides handing it on. `around` stands around the guard, so what it gets is checked. */
interface Care<A extends readonly unknown[], R> extends Pick<Guarded<R>, 'complaint' | 'unused'> {
  readonly around?: (guarded: Tap<A, R>) => Tap<A, R>;
}

function asyncTaps<A extends readonly unknown[], R>(
  hook: AsyncHookOf<A, R>,
  guard: TapGuard,
  { around = (guarded) => guarded, ...care }: Care<A, R>,
): AsyncTaps<A, R> {
  const name = hook.name ?? '';
  const tapPromise = (options: TapOptions, fn: Tap<A, R>): void => {
    const guarded = guardAsync(fn, { ...guard, ...care, ...guard.timesOf(name), where: `hook ${name}` });
    hook.tapPromise(namedTap(options), around(guarded));
  };
  const taps = { tapPromise, tap: tapPromise };
  return Object.freeze(taps);
}

/** Each plugin reports under its own name. */
function checkTaps(hook: Hooks['check'], guard: TapGuard): AsyncTaps<[Checkup], void> {
  const ofAll = asyncTaps(hook, guard, {});
  const checkTap = (options: TapOptions, fn: Tap<[Checkup], void>): void =>
    ofAll.tapPromise(options, async (all) => fn(checkupOf(guard.plugin, all)));
  const taps = { tapPromise: checkTap, tap: checkTap };
  return Object.freeze(taps);
}

interface SyncHookOf<A extends readonly unknown[], R> {
  readonly name: string | undefined;
  tap(options: { name: string }, fn: (...args: A) => R): void;
}

function syncTaps<A extends readonly unknown[], R>(
  hook: SyncHookOf<A, R>,
  guard: TapGuard,
  complaint: Complaint,
): SyncTaps<A, R> {
  return Object.freeze({
    tap: (options: TapOptions, fn: (...args: A) => R) =>
      hook.tap(namedTap(options), guardSync(fn, { ...guard, where: `hook ${hook.name ?? ''}`, complaint })),
  });
}

const namedTap = (options: TapOptions): { name: string; stage?: number; before?: string } =>
  typeof options === 'string' ? { name: options } : { ...options };

/** A maildrop that came too late, or with a column missing, still holds its lock: nobody else would let it go. */
const closeUnused =
  ({ plugin, log }: TapGuard) =>
  (maildrop: Maildrop | undefined): void => {
    // What cannot be used may be anything: plugins may be plain JavaScript.
    if (typeof maildrop?.close !== 'function') return;
    closing(maildrop).catch((error: unknown) => {
      log.error('closing a maildrop that is not used failed', { plugin, error });
    });
  };

const closing = async (maildrop: Maildrop): Promise<void> => maildrop.close();

/** Whose the maildrop is stays known, for the log of what is wrong with it. */
const signed =
  (plugin: string) =>
  <A extends readonly unknown[]>(open: Tap<A, Maildrop | undefined>): Tap<A, Maildrop | undefined> =>
  async (...args) => {
    const maildrop = await open(...args);
    return maildrop && madeBy(plugin, maildrop);
  };

/** What was to be wrapped is open: where the tap fails, whoever called the hook has to close just that. */
const wrapping =
  (plugin: string) =>
  (wrap: Tap<[Maildrop, Identity], Maildrop>): Tap<[Maildrop, Identity], Maildrop> =>
  async (maildrop, identity) => {
    try {
      return madeBy(plugin, await wrap(maildrop, identity), maildrop);
    } catch (error) {
      throw new NotWrapped(maildrop, error);
    }
  };
