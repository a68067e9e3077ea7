/** For commands that take none: `STAT 1` is an error (RFC 1939 section 5). */
export const noArguments = (): undefined => undefined;
