import type { Core } from '../core.ts';
import { isReply, type Reply } from '../protocol/reply.ts';
import { answer } from './answer.ts';
import type { Channel } from './channel.ts';
import type { Take } from './outcome.ts';

/** Lets `take` have what the client sends after `go`, to the last line, and says what came of it. */
export async function receive(
  channel: Channel,
  { go, take }: { readonly go: Reply; readonly take: Take },
  core: Core,
): Promise<undefined> {
  await channel.send(go);
  const lines = channel.readBody()[Symbol.asyncIterator]();
  // It has no `return`, so a taker that leaves its loop early does not end the iterator under us.
  const body = { [Symbol.asyncIterator]: () => ({ next: () => lines.next() }) };
  const reply = await taken(take, body).catch((error: unknown) =>
    answer(error, 'receiving a message', core, channel.facts),
  );
  await drain(lines);
  await channel.send(reply);
}

async function drain(lines: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    for (let rest = await lines.next(); rest.done !== true;) rest = await lines.next();
  } catch {
    // The client left in the middle, and the channel's next line will say so.
  }
}

/** Plugins may be plain JavaScript: what throws at once, or answers with no reply, fails as the rest does. */
async function taken(take: Take, body: AsyncIterable<Uint8Array>): Promise<Reply> {
  const reply = await take(body);
  if (isReply(reply)) return reply;
  throw new TypeError('a message that was received is to be answered with a reply');
}
