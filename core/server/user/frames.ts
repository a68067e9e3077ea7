/** A message between two processes, and octets that go with it: a password is never made part of a text. */
export interface Frame {
  /** JSON, of whatever form; to be checked. */
  readonly message: unknown;
  /** To be zeroed by whoever has read a secret there. */
  readonly octets: Uint8Array;
}

/** No message and its octets together may be larger: facts of a session, mostly. */
export const maxFrameOctets = 64 * 1024;

/** Who is at the other end does not keep to what was agreed on: nothing more is read of him. */
export class FrameError extends Error {}

/** A frame as octets: length of message and octets, length of the message, the message, the octets. Throws a FrameError. */
export function encodeFrame(message: object, octets: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const bodyOctets = text.length + octets.length;
  if (bodyOctets > maxFrameOctets) throw new FrameError(`a frame of ${bodyOctets} octets`);
  const frame = Buffer.allocUnsafeSlow(headOctets + bodyOctets);
  frame.writeUInt32BE(bodyOctets, 0);
  frame.writeUInt32BE(text.length, 4);
  frame.set(text, headOctets);
  frame.set(octets, headOctets + text.length);
  return frame;
}

/** The frames of a stream as they come, one at a time. Throws a FrameError, also where it ends within a frame. */
export async function* readFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let unread: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    unread = joined(unread, chunk);
    for (let octets = frameOctets(unread); octets <= unread.length; octets = frameOctets(unread)) {
      yield frameIn(unread.subarray(0, octets));
      unread = unread.subarray(octets);
    }
  }
  if (unread.length > 0) throw new FrameError('the stream ended within a frame');
}

const headOctets = 8;

/** Of the first frame, head included; as far as it can be told, more than there are. */
function frameOctets(unread: Buffer): number {
  if (unread.length < headOctets) return headOctets;
  const bodyOctets = unread.readUInt32BE(0);
  if (bodyOctets > maxFrameOctets) throw new FrameError(`a frame of ${bodyOctets} octets`);
  return headOctets + bodyOctets;
}

function frameIn(frame: Buffer): Frame {
  const textEnd = headOctets + frame.readUInt32BE(4);
  if (textEnd > frame.length) throw new FrameError('a message longer than its frame');
  try {
    return {
      message: JSON.parse(frame.toString('utf8', headOctets, textEnd)),
      octets: frame.subarray(textEnd),
    };
  } catch {
    // What a parser says of its input may quote it.
    throw new FrameError('a message that is no JSON');
  }
}

/** Secrets may be on their way: what was copied is zeroed. */
function joined(unread: Buffer, chunk: Uint8Array): Buffer {
  if (unread.length === 0) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const both = Buffer.concat([unread, chunk]);
  unread.fill(0);
  chunk.fill(0);
  return both;
}
