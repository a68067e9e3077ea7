import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { Silence } from './silence.ts';

describe('silence', () => {
  it('is told when there is no sign of life for too long, and a second look finds none either', (t) => {
    const { told, pass } = waiting(t, 1000);
    pass(1999);
    assert.equal(told(), 0);
    pass(1);
    assert.equal(told(), 1);
  });

  it('is broken by any sign, one at the second look as well', (t) => {
    const { told, pass, silence } = waiting(t, 1000);
    pass(1500);
    silence.broken(1000);
    pass(1500);
    silence.broken(5000);
    pass(5999);
    assert.equal(told(), 0);
  });

  it('is of no interest once it is closed', (t) => {
    const { told, pass, silence } = waiting(t, 1000);
    pass(1500);
    silence.close();
    pass(10_000);
    assert.equal(told(), 0);
  });
});

function waiting({ mock }: TestContext, limitMs: number) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const tooLong = mock.fn();
  return {
    silence: new Silence(limitMs, tooLong),
    told: () => tooLong.mock.callCount(),
    // A timer that starts another one does so at its own time, and not at the end of a long step.
    pass: (ms: number) => {
      for (let passedMs = 0; passedMs < ms; passedMs += 1) mock.timers.tick(1);
    },
  };
}
