/** `USER@HOST`, for a header field. A name that has a domain keeps it. */
export function addressOf(user: string, host: string): string {
  const printable = user.replaceAll(/[^\x21-\x7e]/g, '?');
  return printable.includes('@') ? printable : `${printable}@${host}`;
}
