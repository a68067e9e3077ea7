import { SessionTally } from '../../session/session-tally.ts';
import { ProcessTitle, titleOfSession } from '../process-title.ts';

/** Whose session a process is at, and at what: `popper: USER ADDRESS COMMAND`, for `ps` and `top`. */
export class WorkerTitle {
  readonly #title: ProcessTitle;
  #text = 'popper: spare';
  #sessions = 0;

  constructor() {
    this.#title = new ProcessTitle(() =>
      this.#sessions > 1 ? `${this.#text} (${this.#sessions} sessions)` : this.#text,
    );
  }

  /** Nobody is served. */
  idle(uid: number): void {
    this.#sessions = 0;
    this.#show(`popper: uid ${uid}`);
  }

  /** So many sessions are open. */
  count(sessions: number): void {
    this.#sessions = sessions;
    this.#title.changed();
  }

  /** For one session: tells the title of each command. */
  tally(user: string, address: string): SessionTally {
    const show = (keyword?: string): void => this.#show(titleOfSession(user, address, keyword));
    show();
    return new ShownTally(show);
  }

  #show(text: string): void {
    this.#text = text;
    this.#title.changed();
  }
}

class ShownTally extends SessionTally {
  readonly #show: (keyword: string) => void;

  constructor(show: (keyword: string) => void) {
    super();
    this.#show = show;
  }

  override began(keyword: string): void {
    super.began(keyword);
    this.#show(keyword);
  }
}
