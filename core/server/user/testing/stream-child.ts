// Takes the ends of streams from its parent, and does with each what the message says.
import { Socket } from 'node:net';

process.on('message', (message, end) => {
  if (!(end instanceof Socket)) throw new TypeError('no stream came with the message');
  end.on('error', () => {});
  const says =
    typeof message === 'object' && message !== null && 'says' in message ? message.says : undefined;
  if (typeof says === 'string') end.end(says);
  end.setEncoding('utf8').on('data', (text) => process.send?.(text));
});
