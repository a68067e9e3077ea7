import { printable } from '../log/sanitise.ts';
import type { PluginsAtWork } from '../plugin/plugins-at-work.ts';

const longestOctets = 64;

/** Whether its master is gone, and this process ends with what it is at. */
let leaves = false;
const leaving = 'popper: leaving, was ';

/** Says so from here on, in front of whatever this process shows. */
export function showLeaving(): void {
  leaves = true;
  showTitle(process.title);
}

export const isLeaving = (title: string): boolean => title.startsWith(leaving);

/** Where a title is cut off, it is at its end. */
export function showTitle(title: string): void {
  process.title = leaves ? `${leaving}${title.replace(/^popper: /, '')}` : title;
}

/** Whose session it is, and at what: `popper: USER ADDRESS COMMAND`. What is not known yet is left out. */
export function titleOfSession(
  user: string | undefined,
  address: string,
  command: string | undefined,
): string {
  const words = [user, address].filter((word) => word !== undefined);
  const who = words.map((word) => printable(word, longestOctets));
  return ['popper:', ...who, ...(command === undefined ? [] : [command])].join(' ');
}

/** The same with what a plugin is at: `popper: USER ADDRESS COMMAND [PLUGIN: hook commit]`. A long user makes room for that. */
export function titleWithWork(title: string, work: string | undefined): string {
  if (work === undefined) return title;
  const told = ` [${work}]`;
  return `${title.slice(0, Math.max(0, titleRoom() - told.length))}${told}`;
}

let room: number | undefined;

/** Characters that a title can have in this process: as many as its command line had. What is more is cut off. */
function titleRoom(): number {
  if (room !== undefined) return room;
  const { title } = process;
  process.title = ' '.repeat(mostRoom);
  room = process.title.length;
  process.title = title;
  return room;
}

const mostRoom = 4096;

/** Shows from here on what plugins are at, behind this title. Where the process blocks, that is how its master names the plugin. */
export function showWork(title: string, pluginsAtWork: PluginsAtWork): void {
  pluginsAtWork.shownBy((work) => {
    showTitle(titleWithWork(title, work));
  });
}

/** No more often than that, in milliseconds: it is for people, and a busy daemon has more to do. */
const pauseMs = 1000;

/** What `ps` shows of this process. */
export class ProcessTitle {
  readonly #text: () => string;
  #pause: NodeJS.Timeout | undefined;
  #isStale = false;

  /** `text` is asked when it is time to show something new. */
  constructor(text: () => string) {
    this.#text = text;
    this.changed();
  }

  /** To be called when `text` would answer something else. Costs next to nothing. */
  changed(): void {
    this.#isStale = true;
    if (this.#pause === undefined) this.#show();
  }

  #show(): void {
    this.#pause = undefined;
    if (!this.#isStale) return;
    this.#isStale = false;
    showTitle(this.#text());
    this.#pause = setTimeout(() => this.#show(), pauseMs).unref();
  }
}
