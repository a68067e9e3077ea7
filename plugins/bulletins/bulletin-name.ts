/** A bulletin by its file's name. */
export interface BulletinName {
  /** As it lies in the folder, a character for each octet. */
  readonly name: string;
  readonly number: number;
  /** What a name such as `23.staff.lunch` says of whom it is for; undefined for one of two words. */
  readonly group: string | undefined;
}

/** Numbers of files and counters go so far. One beyond would leave no room for the next bulletin. */
export const highestNumber = 2 ** 31;

/** The number is the decimal digits at the beginning, the rest is free text. undefined for a name that has none, or one too high. */
export function parseBulletinName(name: string): BulletinName | undefined {
  const number = leadingNumber(name);
  if (number === undefined) return undefined;
  return { name, number, group: /^\d+\.([^.]+)\.[^]/.exec(name)?.[1] };
}

/** undefined where the text does not begin with a digit, or the number is higher than numbers go. */
export function leadingNumber(text: string): number | undefined {
  const digits = /^\d+/.exec(text)?.[0];
  const number = digits === undefined ? undefined : Number(digits);
  return number !== undefined && number <= highestNumber ? number : undefined;
}

/** By number, as numbers; of two with the same number the name decides. */
export function compareBulletins(one: BulletinName, other: BulletinName): number {
  if (one.number !== other.number) return one.number - other.number;
  return one.name < other.name ? -1 : 1;
}

/** The name as people read it: its octets are UTF-8 as a rule. */
export const readable = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');

/** How many there are, for an operator. */
export const bulletinCount = (count: number, highest: number): string =>
  `${count} ${count === 1 ? 'bulletin' : 'bulletins'}, the highest number is ${highest}`;
