// How fast the kernels are, side by side: node -C popper-source test/bench/kernel.mjs

import { plainKernel } from '../../core/protocol/kernel-plain.ts';
import { kernel } from '../../core/protocol/kernel.ts';

const textOctets = 1 << 20;
const roundMs = 150;
const rounds = 5;
const slab = new Uint8Array(textOctets * 2);
const prefix = Buffer.from('From ');
const lineFeed = 0x0a;

const texts = {
  'LF, 76 a line': text(76, '\n'),
  'CRLF, 76 a line': text(76, '\r\n'),
  'LF, 20 a line': text(20, '\n'),
  'dots and LF only': text(1, '\n', '.'),
};

const operations = {
  encodeInto: (one, octets) => one.encodeInto(octets, slab, lineFeed),
  countBareLineFeeds: (one, octets) => one.countBareLineFeeds(octets, lineFeed),
  countLineFeeds: (one, octets) => one.countLineFeeds(octets),
  scanLineStarts: (one, octets) => one.scanLineStarts(octets, lineFeed, prefix, () => {}),
};

const width = [20, 18, 12, 12, 7];
print(['operation', 'text', `${kernel.name} GB/s`, 'plain GB/s', 'ratio']);
for (const [operation, run] of Object.entries(operations)) {
  for (const [title, octets] of Object.entries(texts)) {
    const [fast, plain] = compare(kernel, plainKernel, (one) => run(one, octets));
    print([operation, title, fast.toFixed(2), plain.toFixed(2), (fast / plain).toFixed(1)]);
  }
}

/** A message of about 1 MiB: lines of that length, an mbox's From_ line in every 16 KiB. */
function text(lineOctets, lineEnd, filler = 'x') {
  const line = filler.repeat(lineOctets) + lineEnd;
  const message = `From a@example.org${lineEnd}${line.repeat(Math.ceil(16_384 / line.length))}`;
  return Buffer.from(message.repeat(Math.ceil(textOctets / message.length)).slice(0, textOctets));
}

/** Medians of rounds that take turns, so that a busy machine slows both alike. */
function compare(one, other, run) {
  const speeds = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    speeds[0].push(gigabytesPerSecond(() => run(one)));
    speeds[1].push(gigabytesPerSecond(() => run(other)));
  }
  return speeds.map((list) => list.toSorted((a, b) => a - b)[rounds >> 1]);
}

/** By CPU time of this process: other programs on the machine count least there. */
function gigabytesPerSecond(run) {
  const start = process.cpuUsage();
  const endMs = performance.now() + roundMs;
  let octets = 0;
  while (performance.now() < endMs) {
    run();
    octets += textOctets;
  }
  const { user, system } = process.cpuUsage(start);
  return octets / 1000 / (user + system);
}

function print(cells) {
  console.log(
    cells
      .map((cell, column) => cell.padEnd(width[column]))
      .join(' ')
      .trimEnd(),
  );
}
