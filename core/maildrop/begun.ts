/**
 * The message once its first octets are there. One that cannot be read is then refused with -ERR, where it would
 * otherwise be broken off after a +OK. Throws what reading it throws. Whoever gets it reads it, or calls `return`.
 */
export async function begun(message: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const chunks = message[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await chunks.next();
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    if (first === undefined) return chunks.next();
    const chunk = first;
    first = undefined;
    return chunk;
  };
  const leave = async (): Promise<IteratorResult<Uint8Array>> => {
    await chunks.return?.();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}
