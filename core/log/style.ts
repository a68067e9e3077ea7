import type { LogRecord } from './logger.ts';

/** In whose words the log speaks: what is said in place of a record, most often one. */
export type LogStyle = (record: LogRecord) => readonly LogRecord[];

/** popper's own words: as it was said. */
export const plainStyle: LogStyle = (record) => [record];
