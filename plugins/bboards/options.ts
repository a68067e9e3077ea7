import { z } from 'zod';

import { foldedName, isBoardName } from './board-name.ts';

const nameError = 'expected a name of 1 to 50 letters, digits and hyphens';
const boardName = z.string().refine(isBoardName, { error: nameError });

/** One of several in a line, so without spaces. */
const word = z
  .string()
  .regex(/^[!-~]{1,200}$/, { error: 'expected 1 to 200 printable ASCII characters without spaces' });

const words = z.array(word, { error: 'expected a list' }).max(100).default([]);

const description = z.strictObject(
  {
    /** Other names that it can be entered by. */
    aliases: z.array(boardName, { error: 'expected a list of names' }).max(100).default([]),
    /** Users who look after it. */
    leaders: words,
    /** Where to write to it. */
    address: word.optional(),
    /** Where to write about it. */
    request: word.optional(),
    /** The host that it comes from. */
    incomingFeed: word.optional(),
    /** Those that it goes to. */
    outgoingFeeds: words,
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'expected { aliases, leaders, ... }' : undefined) },
);

/** What XTND X-BBOARDS tells of a board besides what its file says. */
export type Description = z.output<typeof description>;

/** What an operator may set; README.md says more about each. */
export const options = z.strictObject({
  /** Where the boards lie: an mbox for each. Absolute, or from the folder of the configuration file. */
  folder: z.string({ error: 'expected the folder of the bboards' }).min(1, {
    error: 'expected the folder of the bboards',
  }),
  /** By the name of its file, in any case. */
  boards: z
    .record(boardName, description, {
      error: ({ code }) =>
        code === 'invalid_key' ? nameError : 'expected { NAME: { aliases, leaders, ... } }',
    })
    .default({})
    .superRefine((boards, context) => {
      for (const [board, alias] of namedTwice(boards)) {
        const message = `expected each name and alias once, and "${alias}" is another board's already`;
        context.addIssue({ code: 'custom', path: [board], message });
      }
    }),
});

export type Descriptions = z.output<typeof options>['boards'];

function namedTwice(boards: Readonly<Record<string, Description>>): readonly (readonly [string, string])[] {
  const taken = new Set<string>();
  return Object.entries(boards).flatMap(([board, { aliases }]) =>
    [board, ...aliases].flatMap((name) => {
      const isTaken = taken.has(foldedName(name));
      taken.add(foldedName(name));
      return isTaken ? [[board, name] as const] : [];
    }),
  );
}
