import { asksAboutCommit } from './commit.ts';
import { asksAboutLocks } from './locks.ts';
import { asksAboutMany } from './many.ts';
import { asksAboutReading } from './reading.ts';
import type { StoreConformance } from './store-under-test.ts';
import { Trial } from './trial.ts';
import { asksAboutTrouble } from './trouble.ts';
import { asksAboutUniqueIds } from './unique-ids.ts';

/** Adds one question to the list. */
export type Check = (title: string, ask: (trial: Trial) => Promise<void>) => void;

/** One thing that every store has to do; `ask` rejects where this one does not. */
export interface Question {
  readonly title: string;
  readonly ask: () => Promise<void>;
}

/** All that is asked of a store, each time of a new one. */
export function questionsFor({
  make,
  asStored,
  manyMessages = 10_000,
}: StoreConformance): readonly Question[] {
  const questions: Question[] = [];
  const check: Check = (title, ask) => {
    questions.push({
      title,
      ask: async () => {
        const trial = new Trial(await make(), asStored);
        try {
          await ask(trial);
        } finally {
          await trial.end();
        }
      },
    });
  };
  asksAboutReading(check);
  asksAboutUniqueIds(check);
  asksAboutLocks(check);
  asksAboutCommit(check);
  asksAboutTrouble(check);
  asksAboutMany(check, manyMessages);
  return questions;
}
