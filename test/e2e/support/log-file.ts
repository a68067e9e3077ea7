import { appendFileSync } from 'node:fs';

import { definePlugin } from 'popperd';
import { z } from 'zod';

/** Writes every log record to a file, as a plugin does whose sink is not standard error. */
export default definePlugin({
  name: 'log-file',
  options: z.strictObject({ file: z.string() }),
  apply({ hooks }, { file }) {
    hooks.log.tap('log-file', (record) => appendFileSync(file, `${JSON.stringify(record)}\n`));
  },
});
