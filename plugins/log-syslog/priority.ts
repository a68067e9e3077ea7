/** Facilities by the names that syslog.conf has for them, in the order of their numbers (RFC 5424 section 6.2.1). */
export const facilities = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;
export type Facility = (typeof facilities)[number];

/** Four numbers between ftp and local0 have no name. */
const firstLocal = facilities.indexOf('local0');
const unnamed = 4;

/** What popper's levels are in syslog, least severe first. What goes well is a notice, as it was with the classic popper. */
const severities = { debug: 7, info: 5, warn: 4, error: 3 } as const;
export type Level = keyof typeof severities;

/** The number that a syslog message begins with. */
export function priorityOf(facility: Facility, level: Level): number {
  const index = facilities.indexOf(facility);
  const number = index < firstLocal ? index : index + unnamed;
  return number * 8 + severities[level];
}

/** Whether a record of this level belongs in a log of that one. */
export const isAtLeast = (level: Level, least: Level): boolean => severities[level] <= severities[least];
