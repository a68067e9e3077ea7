/**
 * What comes piece by piece, a message for one. Who has the next piece at hand gives it by `nextHere` as well, so that what is in
 * memory costs no promise. The two may be asked in turns. Whoever wraps such an iterator and leaves `nextHere` out loses time only.
 */
export interface Pieces<Piece> extends AsyncIterator<Piece> {
  /** What `next` would come to; undefined where that has to be waited for, and then nothing was taken. Throws what `next` rejects with. */
  nextHere?(): IteratorResult<Piece> | undefined;
}

export const piecesOf = <Piece>(source: AsyncIterable<Piece>): Pieces<Piece> =>
  source[Symbol.asyncIterator]();

/** No more of it is wanted, so what closing it comes to changes nothing. Never rejects. */
export async function letGo(pieces: Pieces<unknown>): Promise<void> {
  try {
    await pieces.return?.();
  } catch {
    // Whoever reads it next is told.
  }
}

export const over: IteratorResult<never> = { done: true, value: undefined };
