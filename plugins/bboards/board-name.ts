/** RFC 1082: letters, digits and hyphens, in any case. So long that a unique-id made of it has no more than 70 characters. */
const form = /^[A-Za-z0-9][A-Za-z0-9-]{0,49}$/;

/** Whether a bulletin board may be called so. No such name leads out of a folder. */
export const isBoardName = (word: string): boolean => form.test(word);

/** What two names have in common that differ in case alone. */
export const foldedName = (name: string): string => name.toLowerCase();

/** Behind a board's name: its archive, an mbox too. */
export const archiveSuffix = '.archive';
/** Behind the name of either file: how many messages have been removed from its beginning. */
export const removedSuffix = '.removed';
