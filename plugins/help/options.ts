import { z } from 'zod';

const line = z
  .string()
  .regex(/^[ -~]{0,510}$/, { error: 'expected a line of at most 510 printable ASCII characters' });

/** What an operator may set; README.md says more. */
export const options = z.strictObject({
  /** What HELP answers. */
  lines: z
    .array(line, { error: 'expected a list of lines' })
    .min(1, { error: 'expected one line or more' })
    .default([
      'This is a POP3 server. A mail program fetches your mail from it: give it the name of this server,',
      'your user name and your password.',
      'CAPA lists what the server can do, and QUIT ends the session (RFC 1939, RFC 2449).',
    ]),
});
