import { strictEqual as equal } from 'node:assert/strict';
import { describe, it } from 'node:test';

import { didYouMean } from './did-you-mean.ts';

describe('a misspelt word is answered with the one that was meant', () => {
  const words = ['listen', 'stateDir', 'idleTimeoutMs', 'loginTimeoutMs', 'log', 'limits', 'plugins'];

  for (const [typed, meant] of [
    ['lisetn', 'listen'],
    ['statedir', 'stateDir'],
    ['idleTimeout', 'idleTimeoutMs'],
    ['plugin', 'plugins'],
    ['lgo', 'log'],
  ] as const) {
    it(`${typed} is ${meant}`, () => equal(didYouMean(typed, words), meant));
  }

  it('a word that is like none gets no answer', () => equal(didYouMean('frobnicate', words), undefined));

  it('nothing at all gets no answer', () => equal(didYouMean('', ['listen']), undefined));
});
