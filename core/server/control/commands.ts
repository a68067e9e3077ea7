import type { Drained, Kicked, Reloaded, SessionEntry, Status, Unlocked } from './messages.ts';

/**
 * What an operator may ask of a daemon that runs. One process implements it over its sessions, a master over its
 * processes; answers are plain data, so that they pass through pipes and sockets as they are. Each method throws a
 * ControlRefusal where it will not or cannot do it.
 */
export interface Control {
  status(): Promise<Status>;
  /** The sessions that are open, as of when each is reached; those that come later are left out. */
  who(): AsyncIterable<SessionEntry>;
  /**
   * Ends the session with this id, or else all sessions of this user, without UPDATE: nothing they marked is deleted.
   * An UPDATE at work is not cut short. Answers when they are over, or have been waited for long enough.
   */
  kick(target: string): Promise<Kicked>;
  /** Ends the user's sessions as `kick` does, and says whether the maildrop's lock is free then. */
  unlock(user: string): Promise<Unlocked>;
  /** Serves with the configuration as it is on disk now; sessions that are open stay as they are. */
  reload(): Promise<Reloaded>;
  /** Lets nobody in any more, and ends the daemon with its last session. Answers at once. */
  drain(): Promise<Drained>;
}

/** What was asked for cannot be done; the message tells the operator why, and what to do. */
export class ControlRefusal extends Error {}
