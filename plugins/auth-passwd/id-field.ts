/** Ids below this are the system's own, and no file can make mail be read as them. */
const lowestId = 10;
const highestId = 4_294_967_294;

export const idRule = `a number from ${lowestId} to ${highestId}`;

/** The uid or gid in a field; undefined where it is none that a password file may hold. */
export function idOfField(field: string): number | undefined {
  const isId = /^\d{1,10}$/.test(field) && Number(field) >= lowestId && Number(field) <= highestId;
  return isId ? Number(field) : undefined;
}
