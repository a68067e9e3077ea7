import { HookMap } from 'tapable';

/** A HookMap that can say which keys it was asked for: one that is misspelt never fires, and is refused at start. */
export class ListedHookMap<H> extends HookMap<H> {
  readonly #made = new Map<string, H>();

  constructor(factory: (key: string) => H, name: string) {
    super(factory, name);
    this.intercept({
      factory: (key: string, hook) => {
        this.#made.set(key, hook);
        return hook;
      },
    });
  }

  get made(): ReadonlyMap<string, H> {
    return this.#made;
  }
}
