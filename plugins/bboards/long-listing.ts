import { basename } from 'node:path';

import type { Board } from './board-folder.ts';

/** What is found out about a board when it is asked for. */
export interface BoardState {
  readonly hasArchive: boolean;
  readonly maxima: number;
  /** When its mbox was last written to. */
  readonly changed: Date;
}

/** No bit is set: none of those that there were means anything here. */
const flags = 0;

/** A board as XTND X-BBOARDS tells of it (RFC 1082): what there is nothing to say of is an empty line. */
export function longListing(board: Board, { hasArchive, maxima, changed }: BoardState): readonly string[] {
  const { name, path, archivePath, description } = board;
  const { aliases, leaders, address, request, incomingFeed, outgoingFeeds } = description;
  const [info, map, password] = ['', '', ''];
  return [
    name,
    aliases.join(' '),
    // Names, not paths: where they lie is nothing for clients.
    basename(path),
    hasArchive ? basename(archivePath) : '',
    info,
    map,
    password,
    leaders.join(' '),
    address ?? '',
    request ?? '',
    incomingFeed ?? '',
    outgoingFeeds.join(' '),
    `${flags} ${maxima}`,
    changed.toUTCString(),
  ];
}
