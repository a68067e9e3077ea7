/** First in, first out, however long it is: an array is moved as a whole with each item that is taken from its front. */
export class Queue<Item> {
  #items: Item[] = [];
  /** Those before it are gone. */
  #firstIndex = 0;

  get length(): number {
    return this.#items.length - this.#firstIndex;
  }

  /** undefined where there is none. */
  get first(): Item | undefined {
    return this.#items[this.#firstIndex];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Takes the first one away. */
  shift(): void {
    if (this.length === 0) return;
    this.#firstIndex += 1;
    if (this.#firstIndex < fewest || this.length > this.#firstIndex) return;
    this.#items = this.#items.slice(this.#firstIndex);
    this.#firstIndex = 0;
  }
}

/** So many gone ones are not worth a copy of the rest. */
const fewest = 1000;
