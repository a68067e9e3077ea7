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
}

/**
 * The places of all connections. When all are taken, the stranger who has been there the longest makes room for the next, so
 * that a flood of clients who say nothing keeps no user out: whoever logs in before that many others come stays.
 */
export class Places {
  /** Connections of other processes, which count among all. */
  elsewhere = 0;
  readonly #room: Room;
  /** The oldest first. */
  readonly #strangers = new Set<Place>();
  #taken = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** A place for a stranger; undefined where all are taken by users. */
  take(giveUp: () => void): Place | undefined {
    if (this.#isFull && !this.#takeFromOldest()) return undefined;
    this.#taken += 1;
    const place: Place = {
      giveUp,
      keep: () => void this.#strangers.delete(place),
      leave: once(() => this.#leave(place)),
    };
    this.#strangers.add(place);
    return place;
  }

  get #isFull(): boolean {
    const { connections, capacity } = this.#room;
    return this.#taken + this.elsewhere >= connections || this.#taken >= capacity;
  }

  #takeFromOldest(): boolean {
    const [oldest] = this.#strangers;
    if (oldest === undefined) return false;
    oldest.leave();
    oldest.giveUp();
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
