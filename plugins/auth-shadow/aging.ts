/** What shadow(5) says of time, in days since 1970 (UTC) or numbers of days. What it leaves open is undefined. */
export interface Aging {
  /** 0: the password must be changed before it is of use. */
  readonly lastChangeDay: number | undefined;
  readonly maxAgeDays: number | undefined;
  /** For so long after its maximum age the password still opens. */
  readonly inactiveDays: number | undefined;
  /** The first day on which the account is closed. */
  readonly expiryDay: number | undefined;
}

const dayMs = 86_400_000;

/** The day that shadow(5) would call this one. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs);

/** Why time shuts the user out today, for the log; undefined where it does not. The rules are those of pam_unix. */
export function agingFault(aging: Aging, today: number): string | undefined {
  const { lastChangeDay, inactiveDays, expiryDay } = aging;
  if (expiryDay !== undefined && today >= expiryDay) return `the account expired on ${dateOf(expiryDay)}`;
  if (lastChangeDay === 0) return 'the password must be changed before it is of use, which POP3 cannot do';
  const overdueDays = daysOverdue(aging, today);
  if (inactiveDays === undefined || overdueDays <= inactiveDays) return undefined;
  return `the password expired on ${dateOf(today - overdueDays + 1)}, and ${inactiveDays} days of grace are over`;
}

/** For how many days the password has been older than it may be; 0 where it is not. */
export function daysOverdue({ lastChangeDay, maxAgeDays }: Aging, today: number): number {
  if (lastChangeDay === undefined || maxAgeDays === undefined) return 0;
  return Math.max(0, today - lastChangeDay - maxAgeDays);
}

const dateOf = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);
