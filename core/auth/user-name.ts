/**
 * The names that are asked about at all: letters, digits and `._+=-`, not first a dot or a dash, 64 at most, and a
 * domain after one `@` if there is one. Anything else is refused before any back end, path or filter sees it.
 */
const form = /^[A-Za-z0-9_+=][A-Za-z0-9._+=-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,252})?$/;

export const allowedName = (user: string): boolean => form.test(user) && !user.includes('..');

/** The same for people, to be shown where a name is refused. */
export const allowedNameRule =
  'a name has 1 to 64 letters, digits and ._+=- (no dot or dash first, no two dots in a row), and may end in @domain';
