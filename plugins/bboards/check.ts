import { constants, type Stats } from 'node:fs';
import { access, stat } from 'node:fs/promises';

import type { Checkup } from 'popperd';

import { removedFrom } from './board-file.ts';
import type { Board, BoardFolder } from './board-folder.ts';
import { archiveSuffix, foldedName, removedSuffix } from './board-name.ts';
import type { Descriptions } from './options.ts';
import { isForAll } from './reader-rights.ts';

type Findings = Pick<Checkup, 'fine' | 'warning' | 'problem'>;

/** Looks at the boards for `popper check`. */
export async function checkBoards(
  checkup: Findings,
  folder: BoardFolder,
  descriptions: Descriptions,
): Promise<void> {
  const { path } = folder;
  let boards: readonly Board[];
  try {
    boards = await folder.list();
    checkWriters(checkup, path, await stat(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    checkup.problem(
      `the bboards in ${path} cannot be listed: ${why}`,
      'make the folder, or mend the option folder',
    );
    return;
  }
  checkNames(checkup, boards, descriptions);
  for (const board of boards) await checkBoard(checkup, board);
  checkup.fine(`${boards.length} ${boards.length === 1 ? 'bboard' : 'bboards'} in ${path}`);
}

function checkNames(checkup: Findings, boards: readonly Board[], descriptions: Descriptions): void {
  const byName = Map.groupBy(boards, ({ name }) => foldedName(name));
  for (const [, [first, ...others]] of byName)
    for (const other of others)
      checkup.warning(
        `${other.path} and ${first?.path} have one name in different case, and clients may mean either`,
        'rename one of them',
      );
  for (const [name, { aliases }] of Object.entries(descriptions)) {
    if (!byName.has(foldedName(name)))
      checkup.warning(`the option boards describes ${name}, and there is no such bboard`, 'mend the name');
    for (const alias of aliases.filter((one) => byName.has(foldedName(one))))
      checkup.warning(
        `the alias ${alias} of ${name} is a bboard itself, which is entered by it`,
        'take the alias out of the option boards',
      );
  }
}

async function checkBoard(checkup: Findings, { path, archivePath }: Board): Promise<void> {
  await checkFile(checkup, path);
  const archive = await stat(archivePath).catch(() => undefined);
  if (archive !== undefined) await checkFile(checkup, archivePath);
}

async function checkFile(checkup: Findings, path: string): Promise<void> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) {
      checkup.warning(
        `${path} is no regular file, so it is no bboard`,
        'move it out of the folder of the bboards',
      );
      return;
    }
    checkWriters(checkup, path, stats);
    await access(path, constants.R_OK);
    if (!isForAll(stats) && !path.endsWith(archiveSuffix))
      checkup.warning(
        `${path} is not readable by everybody: XTND BBOARDS does not list it`,
        `if it is for all: chmod o+r ${path}`,
      );
  } catch (error) {
    checkup.warning(`${path} cannot be read: ${messageOf(error)}`, 'mend the owner or mode of the file');
  }
  await removedFrom(path).catch((error: unknown) => {
    checkup.problem(
      messageOf(error),
      `write into ${path}${removedSuffix} how many messages were removed from the board`,
    );
  });
}

function checkWriters(checkup: Findings, path: string, { mode }: Pick<Stats, 'mode'>): void {
  if ((mode & 0o002) === 0) return;
  checkup.warning(
    `${path} can be written to by everybody, so anybody can change what all read`,
    `chmod o-w ${path}`,
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
