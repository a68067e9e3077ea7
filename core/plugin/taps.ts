import type { Logger } from '../log/logger.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { type Guarded, guardAsync, guardSync } from './guard.ts';
import type { Hooks } from './hooks.ts';

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
  readonly deadlineMsOf: (hook: string) => number;
}

/** The hooks that one plugin is handed: each tap it adds is guarded and carries its name. */
export function tapsFor(hooks: Hooks, guard: TapGuard) {
  const taps = <A extends readonly unknown[], R>(
    hook: AsyncHookOf<A, R>,
    late?: (answer: R) => void,
  ): AsyncTaps<A, R> => asyncTaps(hook, guard, late);

  return Object.freeze({
    start: taps(hooks.start),
    listening: taps(hooks.listening),
    stop: taps(hooks.stop),
    check: taps(hooks.check),
    recover: taps(hooks.recover),
    preface: taps(hooks.preface),
    connect: taps(hooks.connect),
    greeting: syncTaps(hooks.greeting, guard),
    capabilities: syncTaps(hooks.capabilities, guard),
    command: Object.freeze({ for: (keyword: string) => taps(hooks.command.for(keyword)) }),
    authenticate: taps(hooks.authenticate),
    refused: taps(hooks.refused),
    openMaildrop: taps(hooks.openMaildrop, closeLate(guard)),
    maildrop: taps(hooks.maildrop),
    commit: taps(hooks.commit),
    sessionEnd: taps(hooks.sessionEnd),
    wire: syncTaps(hooks.wire, guard),
    log: syncTaps(hooks.log, guard),
  });
}

export type PluginHooks = ReturnType<typeof tapsFor>;

function asyncTaps<A extends readonly unknown[], R>(
  hook: AsyncHookOf<A, R>,
  guard: TapGuard,
  late: ((answer: R) => void) | undefined,
): AsyncTaps<A, R> {
  const name = hook.name ?? '';
  const tapPromise = (options: TapOptions, fn: (...args: A) => Promise<R>): void => {
    const guarded: Guarded<R> = { ...guard, hook: name, deadlineMs: guard.deadlineMsOf(name) };
    hook.tapPromise(namedTap(options), guardAsync(fn, late === undefined ? guarded : { ...guarded, late }));
  };
  const taps = { tapPromise, tap: tapPromise };
  return Object.freeze(taps);
}

interface SyncHookOf<A extends readonly unknown[], R> {
  readonly name: string | undefined;
  tap(options: { name: string }, fn: (...args: A) => R): void;
}

function syncTaps<A extends readonly unknown[], R>(hook: SyncHookOf<A, R>, guard: TapGuard): SyncTaps<A, R> {
  return Object.freeze({
    tap: (options: TapOptions, fn: (...args: A) => R) =>
      hook.tap(namedTap(options), guardSync(fn, { ...guard, hook: hook.name ?? '' })),
  });
}

const namedTap = (options: TapOptions): { name: string; stage?: number; before?: string } =>
  typeof options === 'string' ? { name: options } : { ...options };

/** A maildrop that came too late still holds its lock: nobody else would let it go. */
const closeLate =
  ({ plugin, log }: TapGuard) =>
  (maildrop: Maildrop | undefined): void => {
    maildrop?.close().catch((error: unknown) => {
      log.error('closing a late maildrop failed', { plugin, error });
    });
  };
