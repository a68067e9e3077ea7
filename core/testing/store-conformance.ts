import { describe, it } from 'node:test';

import { questionsFor } from './conformance/question.ts';
import type { StoreConformance } from './conformance/store-under-test.ts';

/**
 * Registers the tests that every store has to pass, whatever it keeps mail in: call it at the top of a test file. They
 * ask for what RFC 1939 asks of a maildrop and what the `Maildrop` interface promises, and for nothing else.
 */
export function storeConformance(conformance: StoreConformance): void {
  describe(`${conformance.name} keeps what a store promises`, () => {
    for (const { title, ask } of questionsFor(conformance)) it(title, ask);
  });
}
