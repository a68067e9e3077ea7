/** The longest password that crypt(3) takes, in octets: longer ones match no hash, whatever its scheme. */
export const maxPasswordOctets = 511;

/** What is wrong with a password that somebody wants to have, or undefined. */
export function passwordFault(password: Uint8Array): string | undefined {
  if (password.length === 0) return 'the password is empty';
  if (password.length > maxPasswordOctets) return `the password is longer than ${maxPasswordOctets} octets`;
  // A POP3 command line cannot carry these, so nobody could ever log in.
  if (password.some((octet) => octet === 0 || octet === 10 || octet === 13)) {
    return 'the password holds a NUL or a line end, which no client can send';
  }
  return undefined;
}
