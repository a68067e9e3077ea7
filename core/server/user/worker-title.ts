import type { PluginsAtWork } from '../../plugin/plugins-at-work.ts';
import { SessionTally } from '../../session/session-tally.ts';
import { showTitle, titleOfSession, titleWithWork } from '../process-title.ts';

/**
 * Whose session a process is at, and at what: `popper: USER ADDRESS COMMAND [PLUGIN: hook commit]`, for `ps` and `top`, and for the
 * master where the process blocks. So what may block is shown before it begins, and all else when the event loop turns: each time
 * costs microseconds, more than most commands' own work.
 */
export class WorkerTitle {
  #text = 'popper: spare';
  #sessions = 0;
  #work: string | undefined;
  #shown = '';
  #isLater = false;

  constructor(pluginsAtWork: PluginsAtWork) {
    pluginsAtWork.shownBy((work) => {
      this.#work = work;
      if (work === undefined) this.#showLater();
      else this.#show();
    });
  }

  /** Nobody is served. */
  idle(uid: number): void {
    this.#sessions = 0;
    this.#text = `popper: uid ${uid}`;
    this.#showLater();
  }

  /** So many sessions are open. */
  count(sessions: number): void {
    this.#sessions = sessions;
    this.#showLater();
  }

  /** For one session: tells the title of each command. */
  tally(user: string, address: string): SessionTally {
    const who = titleOfSession(user, address, undefined);
    this.#text = who;
    this.#showLater();
    return new ShownTally((keyword) => {
      this.#text = `${who} ${keyword}`;
      this.#show();
    });
  }

  #showLater(): void {
    if (this.#isLater) return;
    this.#isLater = true;
    setImmediate(() => {
      this.#isLater = false;
      this.#show();
    });
  }

  #show(): void {
    const text = this.#sessions > 1 ? `${this.#text} (${this.#sessions} sessions)` : this.#text;
    const title = titleWithWork(text, this.#work);
    if (title === this.#shown) return;
    this.#shown = title;
    showTitle(title);
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
