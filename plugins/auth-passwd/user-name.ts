/**
 * The names that can log in at all, as the core lets them through: letters, digits and `._+=-`, not first a dot or a
 * dash, 64 octets at most, and a domain after one `@` if there is one.
 */
const form = /^[A-Za-z0-9_+=][A-Za-z0-9._+=-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,252})?$/;

export const validUserName = (user: string): boolean => form.test(user) && !user.includes('..');

export const userNameRule =
  'a name has 1 to 64 letters, digits and ._+=- (no dot or dash first, no two dots in a row), and may end in @domain';
