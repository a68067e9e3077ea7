/** The way to a syslog. */
export interface Wire {
  /** Finds out whether it is there, as far as can be; rejects where it is not. */
  open(): Promise<void>;
  /**
   * `sent`: it is out of this process's hands. `busy`: the other end takes no more for now. `refused`: it will never take this one.
   * Rejects where it cannot be reached; it is looked for anew each time.
   */
  send(line: Buffer): Promise<'sent' | 'busy' | 'refused'>;
  /** Lets go of it when what was sent is on its way, or at once where it cannot be. */
  close(): Promise<void>;
}
