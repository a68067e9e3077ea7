import { z } from 'zod';

const mebi = 1024 * 1024;

/** What an operator may set; README.md says more about each. */
export const options = z.strictObject({
  /** Where a user's mbox lies. Absolute, or from the folder of the configuration file. */
  spool: z
    .string()
    .min(1)
    .refine((template) => complaintAboutTemplate(template) === undefined, {
      error: ({ input }) => complaintAboutTemplate(String(input)) ?? 'no template',
    })
    .default('/var/mail/{user}'),
  /** Owner of every mbox, as a uid; each user's own uid if left out. */
  owner: z.int().min(0).max(0xfffffffe).optional(),
  /** The group that may write to an mbox besides its owner, as a gid; the spool folder's own group if left out. */
  mailGroup: z.int().min(0).max(0xfffffffe).optional(),
  /** Locks against other programs, in the order in which they are tried. */
  lockMethods: z
    .array(z.enum(['dotlock', 'fcntl']))
    .min(1)
    .refine((methods) => new Set(methods).size === methods.length, { error: 'expected each method once' })
    .default(['dotlock', 'fcntl']),
  /** How long a login or a QUIT waits for other programs' locks. */
  lockTimeoutMs: z.int().min(0).max(600_000).default(30_000),
  /** Age after which a dotlock that nobody refreshes counts as left behind. */
  staleDotlockMs: z.int().min(60_000).max(86_400_000).default(300_000),
  /** Believe `Content-Length:` where it leads to another message or to the end. */
  contentLength: z.boolean().default(false),
  /** Add the mail that a killed classic popper left beside the mailbox, in `.USER.pop`. */
  takeOverTemporaryDrop: z.boolean().default(false),
  /** Serve each session from a copy of the mailbox, as the classic popper did. */
  temporaryMaildrop: z.boolean().default(false),
  /** Write `Status:` into messages when a session ends, as the classic popper did. */
  updateStatus: z.boolean().default(false),
  /** Mail moved in one step of a deletion, or taken over at once: memory, and twice as much disk for the journal. */
  chunkOctets: z
    .int()
    .min(4096)
    .max(256 * mebi)
    .default(4 * mebi),
  /** When the disk is waited for. */
  fsync: z.enum(['commit', 'always', 'never']).default('commit'),
  /** Memory in which indexes are kept between sessions, for each process. */
  cacheOctets: z
    .int()
    .min(0)
    .default(64 * mebi),
  /** Read at once when a client fetches: memory for each session that does; 16 of those that go on get 1 MiB. */
  readAheadOctets: z
    .int()
    .min(16 * 1024)
    .max(16 * mebi)
    .default(96 * 1024),
  /** Journals written in advance for each uid, so that a full disk does not stop deletions; 0 for none. */
  reservedJournals: z.int().min(0).max(16).default(1),
});

export type Options = z.output<typeof options>;
export type LockMethod = Options['lockMethods'][number];

const placeholder = /\{(?:user(?::[1-9]\d?)?|localpart|domain|home)\}/g;

function complaintAboutTemplate(template: string): string | undefined {
  const fixed = template.replace(placeholder, '');
  const wrong = /\{[^}]*\}?|\}/.exec(fixed)?.[0];
  if (wrong !== undefined) {
    return `expected {user}, {user:N}, {localpart}, {domain} or {home} in the template, got "${wrong}"`;
  }
  if (template.includes('\0')) return 'expected a path, got one with a NUL';
  if (template.includes('{home}') && !template.startsWith('{home}/')) {
    return `expected {home} at the start of the template, followed by "/", got "${template}"`;
  }
  if (!/\{(?:user|localpart|home)\}/.test(template)) {
    return `expected {user}, {localpart} or {home} in the template, or all users share one mbox, got "${template}"`;
  }
  return undefined;
}
