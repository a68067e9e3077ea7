/** The highest number among those a client has had in this session, deleted or not. */
export class HighestNumber {
  #number = 0;

  note(number: number): void {
    this.#number = Math.max(this.#number, number);
  }

  reset(): void {
    this.#number = 0;
  }

  highest(): number {
    return this.#number;
  }
}
