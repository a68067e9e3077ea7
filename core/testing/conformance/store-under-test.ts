import type { Maildrop } from '../../maildrop/maildrop.ts';

/**
 * How the conformance suite gets at a store. Everything here is done by the store's own tests, in its own way: `deliver`
 * and `stored` as another program would, past the store; `open` through it.
 */
export interface StoreUnderTest {
  /** Adds messages at the end of a user's mail, in this order, as a delivery agent does. */
  deliver(user: string, messages: readonly Uint8Array[]): Promise<void>;
  /** Opens the user's maildrop as a login does, `load` not yet called. Two of them may be tried at once. */
  open(user: string): Promise<Maildrop>;
  /** The messages that lie there now, in order, read past the store. */
  stored(user: string): Promise<readonly Uint8Array[]>;
  /** The daemon ends and is started again: nothing that the store keeps in memory is left. */
  restart(): Promise<void>;
  /** Removes a message as a mail reader beside popper would, sessions or not. */
  removeBehind(user: string, index: number): Promise<void>;
  /** The test is over: files are removed. */
  dispose(): Promise<void>;
}

export interface StoreConformance {
  /** Stands in the tests' titles: `store-mbox with dotlocks`. */
  readonly name: string;
  /** A new, empty store for one test. */
  readonly make: () => Promise<StoreUnderTest>;
  /**
   * What a message delivered as these octets is read as, where that is not the same: an mbox's delivery agent ends the
   * last line, for instance.
   */
  readonly asStored?: (delivered: Uint8Array) => Uint8Array;
  /** Messages for the test of a big maildrop; 10 000 if left out. */
  readonly manyMessages?: number;
}
