/** The password file cannot be used. The message is for the operator: file, what is wrong, how to mend it. */
export class FileFault extends Error {
  /** The message without what to do. */
  readonly what: string;
  readonly fix: string;

  /** `what` is a sentence of what is wrong, and behind a colon what to do about it. */
  constructor(file: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(`${file}: ${what}`, options);
    this.name = 'FileFault';
    const [wrong, ...remedy] = what.split(': ');
    this.what = `${file}: ${wrong}`;
    this.fix = remedy.join(': ') || 'mend the file, or name another';
  }
}

/** The same for what the system says of a file. `explanations`, by the error's code, go before those for password files. */
export function fileFault(
  file: string,
  error: unknown,
  explanations: ReadonlyMap<string, string> = new Map(),
): FileFault {
  if (error instanceof FileFault) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = explanations.get(code) ?? ofPasswordFiles.get(code);
  return new FileFault(file, what ?? `cannot be used (${code || String(error)})`, { cause: error });
}

const ofPasswordFiles: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file: make it with "popper passwd add FILE USER", or mend the path'],
  ['ENOTDIR', 'a part of the path is no folder: mend the path'],
  ['EACCES', 'may not be read or written by this user: mend the owner or mode of the file or of its folders'],
  ['EPERM', 'may not be changed by this user: run this as the owner of the file, or as root'],
  ['EROFS', 'lies on a read-only file system'],
  ['ENOSPC', 'the disk is full: nothing was changed'],
  ['EDQUOT', 'the disk quota is used up: nothing was changed'],
]);
