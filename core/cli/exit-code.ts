/** What the program ends with. The same numbers for every command. */
export const exitCode = {
  /** Done; in order. */
  done: 0,
  /** Problems were found; it did not work. */
  problems: 1,
  /** It could not even be tried: no config, or the command line makes no sense. */
  unusable: 2,
} as const;
