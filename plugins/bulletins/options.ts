import { hostname } from 'node:os';

import { z } from 'zod';

const members = z.union([z.array(z.string().min(1)), z.literal('system')], {
  error: 'expected a list of users, or "system" for the system\'s group of that name',
});

/** What an operator may set; README.md says more about each. */
export const options = z.strictObject({
  /** Where the bulletins lie. Absolute, or from the folder of the configuration file. */
  folder: z.string({ error: 'expected the folder of the bulletins' }).min(1),
  /** Where it is kept which bulletin a user had last. */
  counters: z.enum(['state', 'home'], { error: 'expected "state" or "home"' }).default('state'),
  /** So many of the newest a new user gets. */
  newUserBulletins: z
    .int({ error: 'expected a number of bulletins, 0 or more' })
    .min(0)
    .max(10_000)
    .default(0),
  /** Behind the @ of each user's address. */
  host: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/, { error: 'expected a host name, as "mail.example.org"' })
    .default(() => hostname()),
  /** Who the bulletins of a group are for; left out, there are no groups. */
  groups: z
    .record(z.string(), members)
    .refine((groups) => Object.keys(groups).every(isGroupName), {
      error: 'expected names of groups without "." and "/", as in NUMBER.GROUP.TITLE',
    })
    .optional(),
  /** The system's groups. */
  groupFile: z.string().min(1).default('/etc/group'),
});

const isGroupName = (name: string): boolean => /^[^./\0]+$/.test(name);
