/** A piece of a plugin's code that has begun and is not over. */
export interface PieceOfWork {
  readonly plugin: string;
  /** `hook commit`, `command X-USAGE`. */
  readonly where: string;
}

/** Shown what is at work now: `PLUGIN: hook commit`; undefined where no plugin is. */
export type ShowWork = (what: string | undefined) => void;

/**
 * Which plugins' code this process is in, for whoever looks at it from outside: a process that blocks says nothing any more, and
 * what it has shown before is all that is known of it. Costs next to nothing where nobody looks.
 */
export class PluginsAtWork {
  /** In the order in which they began. The last one is shown: of those that wait it is the one that has waited the least. */
  readonly #pieces: PieceOfWork[] = [];
  #show: ShowWork | undefined;

  /** From here on `show` is called at once whenever something else is to be shown, in the place of an earlier one; undefined: nobody looks. */
  shownBy(show: ShowWork | undefined): void {
    this.#show = show;
    if (show === undefined) this.#pieces.length = 0;
    this.#tell();
  }

  /** To be called before the code is. What it gives is for `ended`. */
  began(plugin: string, where: string): PieceOfWork | undefined {
    if (this.#show === undefined) return undefined;
    const piece = { plugin, where };
    this.#pieces.push(piece);
    this.#tell();
    return piece;
  }

  /** It has answered, or failed, or nobody waits for it any more. A second call does nothing. */
  ended(piece: PieceOfWork | undefined): void {
    if (piece === undefined) return;
    const place = this.#pieces.lastIndexOf(piece);
    if (place === -1) return;
    this.#pieces.splice(place, 1);
    if (place === this.#pieces.length) this.#tell();
  }

  /** Shows the plugin while this is at work. */
  async during<R>({ plugin, where }: PieceOfWork, act: () => Promise<R>): Promise<R> {
    const piece = this.began(plugin, where);
    try {
      return await act();
    } finally {
      this.ended(piece);
    }
  }

  #tell(): void {
    const last = this.#pieces.at(-1);
    this.#show?.(last && `${last.plugin}: ${last.where}`);
  }
}
