import {
  AsyncParallelHook,
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable';

import type { Identity, LoginAttempt, Verdict } from '../auth/login.ts';
import type { LogRecord } from '../log/logger.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import type { Reply, ResponseCode } from '../protocol/reply.ts';
import type { Channel, Peer } from '../session/channel.ts';
import type { SessionReport } from '../session/report.ts';
import type { AuthorizationSession, Session, TransactionSession } from '../session/session.ts';
import type { CheckupOfAll } from './checkup.ts';
import { ListedHookMap } from './listed-hook-map.ts';

/** Why a client is sent away before it can log in. `text` goes over the wire. */
export interface Refusal {
  readonly text: string;
  readonly code?: ResponseCode;
}

/**
 * What a process is for. With `isolation: 'none'` it is everything (`all`), alone or as one of several under a master. With `isolation: 'user'` fronts talk to strangers, `auth` checks passwords, and a `worker` is the user whose
 * mail it touches; a `locker` locks mailboxes for workers, where they may not.
 */
export type Role = 'all' | 'front' | 'auth' | 'worker' | 'locker' | 'cli';

/** One line as it crossed the wire, for a trace. Secrets are masked before any tap sees it. */
export interface WireEvent {
  readonly session: string;
  /** Who is at the other end. */
  readonly peer: Peer;
  /** Who has logged in; before that, as it was sent, the name that USER gave last. Undefined where there was none. */
  readonly user: string | undefined;
  readonly direction: 'received' | 'sent';
  readonly text: string;
}

/**
 * Every point where a plugin can take part. Made once for a daemon, not once for a session: tapable compiles a hook the
 * first time it is called, and a session is too short to pay for that.
 */
export function createHooks() {
  return Object.freeze({
    /** The daemon starts: in config order, before any port is open. A throw keeps it from starting. */
    start: new AsyncSeriesHook<[Role]>(['role'], 'start'),
    /**
     * The ports are open: clients can come. Gives the addresses as bound. Where several fronts serve, it is called in the first
     * of them, once for each start and reload.
     */
    listening: new AsyncParallelHook<[readonly string[]]>(['addresses'], 'listening'),
    /** The daemon ends; taps run side by side under one deadline. */
    stop: new AsyncParallelHook<[Role]>(['role'], 'stop'),
    /** `popper check`: each plugin looks at its own files and servers. */
    check: new AsyncParallelHook<[CheckupOfAll]>(['checkup'], 'check'),
    /** A store redoes what a dead process left half done for this uid: before the ports open, and after a death. */
    recover: new AsyncSeriesHook<[number]>(['uid'], 'recover'),
    /** Reads octets before the greeting. The first answer decides: who it is, or why not. */
    preface: new AsyncSeriesBailHook<[Channel], Identity | Refusal | undefined>(['channel'], 'preface'),
    /** A client has connected. The first refusal wins. */
    connect: new AsyncSeriesBailHook<[Peer], Refusal | undefined>(['peer'], 'connect'),
    /** The greeting's text, without `+OK`. Each tap may change what the one before it made. */
    greeting: new SyncWaterfallHook<[string, AuthorizationSession]>(['text', 'session'], 'greeting'),
    /** The CAPA list. Sync: what cannot wait cannot stall a client. */
    capabilities: new SyncWaterfallHook<[readonly string[], Session]>(
      ['capabilities', 'session'],
      'capabilities',
    ),
    /** Before one command runs. A reply returned here is sent in place of the command's own. */
    command: new ListedHookMap(
      (keyword) => new AsyncSeriesBailHook<[Session], Reply | undefined>(['session'], `command ${keyword}`),
      'command',
    ),
    /**
     * One command has its answer, which is about to be sent: the reply, and the words behind the keyword, none where they hold
     * a secret. Not for commands that are answered with more than a reply (QUIT, PASS, XTND XMIT).
     */
    answer: new ListedHookMap(
      (keyword) => new SyncHook<[Reply, string, Session]>(['reply', 'words', 'session'], `answer ${keyword}`),
      'answer',
    ),
    /** Decides one login. The first plugin to answer decides; silence means "not my user". */
    authenticate: new AsyncSeriesBailHook<[LoginAttempt, AuthorizationSession], Verdict | undefined>(
      ['attempt', 'session'],
      'authenticate',
    ),
    /** A login was refused. The client is answered when all taps are done, so their delays add up. */
    refused: new AsyncSeriesHook<[string, AuthorizationSession]>(['user', 'session'], 'refused'),
    /**
     * Opens and locks the user's maildrop. The first store that knows the user wins. The signal fires when nobody waits
     * for it any more: the client is gone, or the daemon has waited for it as long as a stop may.
     */
    openMaildrop: new AsyncSeriesBailHook<[Identity, AbortSignal], Maildrop | undefined>(
      ['identity', 'signal'],
      'openMaildrop',
    ),
    /** Wraps an opened maildrop: bulletins add messages, a filter hides some. */
    maildrop: new AsyncSeriesWaterfallHook<[Maildrop, Identity]>(['maildrop', 'identity'], 'maildrop'),
    /** UPDATE begins: the last place to stop it by throwing. Nothing has been removed yet. */
    commit: new AsyncSeriesHook<[ReadonlySet<number>, TransactionSession]>(['deleted', 'session'], 'commit'),
    /** The session is over. Taps run side by side and cannot change anything any more. */
    sessionEnd: new AsyncParallelHook<[SessionReport]>(['report'], 'sessionEnd'),
    /** Each line on the wire, masked. */
    wire: new SyncHook<[WireEvent]>(['event'], 'wire'),
    /** Each log record, for sinks besides the daemon's own. */
    log: new SyncHook<[LogRecord]>(['record'], 'log'),
  });
}

export type Hooks = ReturnType<typeof createHooks>;
