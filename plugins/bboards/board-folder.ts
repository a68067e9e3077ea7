import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { archiveSuffix, foldedName, isBoardName } from './board-name.ts';
import type { Description, Descriptions } from './options.ts';

/** A board, whether or not anybody may read it. */
export interface Board {
  /** As its file is called. */
  readonly name: string;
  readonly path: string;
  readonly archivePath: string;
  readonly description: Description;
}

const undescribed: Description = {
  aliases: [],
  leaders: [],
  address: undefined,
  request: undefined,
  incomingFeed: undefined,
  outgoingFeeds: [],
};

/** The folder of the boards, as it is whenever somebody asks: a new file is a new board. */
export class BoardFolder {
  readonly path: string;
  readonly #descriptions: ReadonlyMap<string, Description>;
  readonly #namesByAlias = new Map<string, string>();

  constructor(path: string, descriptions: Descriptions) {
    this.path = path;
    const described = Object.entries(descriptions);
    this.#descriptions = new Map(described.map(([name, description]) => [foldedName(name), description]));
    for (const [name, { aliases }] of described)
      for (const alias of aliases) this.#namesByAlias.set(foldedName(alias), foldedName(name));
  }

  /** All of them, by name. Throws system errors. */
  async list(): Promise<readonly Board[]> {
    const names = (await readdir(this.path)).filter(isBoardName);
    return names.toSorted().map((name) => this.#board(name));
  }

  /** The board of this name or alias, in any case; undefined where there is none. Throws system errors. */
  async find(word: string): Promise<Board | undefined> {
    if (!isBoardName(word)) return undefined;
    const boards = await this.list();
    const called = (name: string | undefined) => boards.find((board) => foldedName(board.name) === name);
    const folded = foldedName(word);
    return (
      boards.find(({ name }) => name === word) ?? called(folded) ?? called(this.#namesByAlias.get(folded))
    );
  }

  #board(name: string): Board {
    const path = join(this.path, name);
    const description = this.#descriptions.get(foldedName(name)) ?? undescribed;
    return { name, path, archivePath: `${path}${archiveSuffix}`, description };
  }
}

/** Whether there is a file under this path that may be looked at. */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
