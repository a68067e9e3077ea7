import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a client delivers to: a folder with a file for each message, just as the client handed it over. */
export interface Inbox {
  /** A shell command that takes one message on its standard input. */
  readonly command: string;
  /** Every message that came, in no order. */
  fetched(): Promise<readonly Buffer[]>;
}

export async function makeInbox(folder: string): Promise<Inbox> {
  const inbox = join(folder, 'inbox');
  await mkdir(inbox);
  return {
    command: `cat > $(mktemp ${inbox}/XXXXXXXX)`,
    fetched: async () => Promise.all((await readdir(inbox)).map((name) => readFile(join(inbox, name)))),
  };
}
