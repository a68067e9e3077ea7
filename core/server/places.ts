import { noneTaken, type Taken, withoutOldest } from './taken.ts';

/** One connection's place among all. */
export interface Place {
  /** Is called when somebody else gets it, and is to end the connection at once. */
  giveUp: () => void;
  /** Its client has logged in: nobody takes the place from it any more. */
  keep(): void;
  /** It is free again. A second call does nothing. */
  leave(): void;
}

/** How many places there are. */
export interface Room {
  /** For all processes together. */
  readonly connections: number;
  /** In this process, which can have so many open files and no more. */
  readonly capacity: number;
  /** Has another process end the connection of a stranger. Left out where there is none. */
  readonly makeRoomElsewhere?: () => void;
}

/**
 * The places of all connections. When all are taken, the stranger who has been there the longest makes room for the next, so
 * that a flood of clients who say nothing keeps no user out: whoever logs in before that many others come stays. Where he is in
 * another process, that one ends his connection.
 */
export class Places {
  readonly #room: Room;
  readonly #nowMs: () => number;
  /** The oldest first, each with the time of its arrival. */
  readonly #strangers = new Map<Place, number>();
  #elsewhere = noneTaken;
  #heardAtMs = 0;
  #taken = 0;

  constructor(room: Room, nowMs: () => number = () => performance.now()) {
    this.#room = room;
    this.#nowMs = nowMs;
  }

  /** What the others have to know. */
  get taken(): Taken {
    const [arrivedAtMs] = this.#strangers.values();
    const oldestMs = arrivedAtMs === undefined ? 0 : Math.floor(this.#nowMs() - arrivedAtMs);
    return { connections: this.#taken, strangers: { count: this.#strangers.size, oldestMs } };
  }

  /** What other processes have told of theirs. */
  hear(elsewhere: Taken): void {
    this.#elsewhere = elsewhere;
    this.#heardAtMs = this.#nowMs();
  }

  /** The oldest stranger's place is another process's from here on. */
  giveWay(): void {
    this.#takeFromOldest();
    this.#elsewhere = { ...this.#elsewhere, connections: this.#elsewhere.connections + 1 };
  }

  /** Nobody else could give one: the oldest stranger here has to go. */
  giveUpOldest(): void {
    this.#takeFromOldest();
  }

  /** A place for a stranger; undefined where all are taken by users. */
  take(giveUp: () => void): Place | undefined {
    if (this.#excess > 0) this.#takeFromOldest();
    if (this.#isFull && !this.#takeFromStranger()) return undefined;
    this.#taken += 1;
    const place: Place = {
      giveUp,
      keep: () => void this.#strangers.delete(place),
      leave: once(() => this.#leave(place)),
    };
    this.#strangers.set(place, this.#nowMs());
    return place;
  }

  /** As far as is known; what others have is news of before. */
  get #excess(): number {
    return this.#taken + this.#elsewhere.connections - this.#room.connections;
  }

  get #isFull(): boolean {
    return this.#excess >= 0 || this.#lacksFiles;
  }

  get #lacksFiles(): boolean {
    return this.#taken >= this.#room.capacity;
  }

  #takeFromStranger(): boolean {
    const { oldestMs } = this.#elsewhere.strangers;
    const isOlder = oldestMs + this.#nowMs() - this.#heardAtMs > this.taken.strangers.oldestMs;
    return (isOlder && this.#takeFromOthers()) || this.#takeFromOldest() || this.#takeFromOthers();
  }

  #takeFromOldest(): boolean {
    const [oldest] = this.#strangers.keys();
    if (oldest === undefined) return false;
    oldest.leave();
    oldest.giveUp();
    return true;
  }

  /** It is not waited for: for a moment there may be one more than there are places. */
  #takeFromOthers(): boolean {
    const { makeRoomElsewhere } = this.#room;
    if (this.#lacksFiles || this.#elsewhere.strangers.count === 0 || makeRoomElsewhere === undefined)
      return false;
    this.#elsewhere = withoutOldest(this.#elsewhere);
    makeRoomElsewhere();
    return true;
  }

  #leave(place: Place): void {
    this.#strangers.delete(place);
    this.#taken -= 1;
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
