import type { PluginsAtWork } from '../../plugin/plugins-at-work.ts';
import { SessionTally } from '../../session/session-tally.ts';
import { showTitle, titleOfSession, titleWithWork } from '../process-title.ts';

/**
 * Whose session a process is at, and at what: `popper: USER ADDRESS COMMAND [PLUGIN: hook commit]`, for `ps` and `top`, and for the
 * master where the process blocks. So it is never late, not even by a moment; it costs a microsecond.
 */
export class WorkerTitle {
  #text = 'popper: spare';
  #sessions = 0;
  #work: string | undefined;

  constructor(pluginsAtWork: PluginsAtWork) {
    pluginsAtWork.shownBy((work) => {
      this.#work = work;
      this.#show();
    });
  }

  /** Nobody is served. */
  idle(uid: number): void {
    this.#sessions = 0;
    this.#text = `popper: uid ${uid}`;
    this.#show();
  }

  /** So many sessions are open. */
  count(sessions: number): void {
    this.#sessions = sessions;
    this.#show();
  }

  /** For one session: tells the title of each command. */
  tally(user: string, address: string): SessionTally {
    const who = titleOfSession(user, address, undefined);
    const show = (text: string): void => {
      this.#text = text;
      this.#show();
    };
    show(who);
    return new ShownTally((keyword) => show(`${who} ${keyword}`));
  }

  #show(): void {
    const text = this.#sessions > 1 ? `${this.#text} (${this.#sessions} sessions)` : this.#text;
    showTitle(titleWithWork(text, this.#work));
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
