declare namespace NodeJS {
  interface Process {
    /** Not in the types, but in Node since 0.9: takes the groups of this account, and one more. */
    initgroups?(account: string, extraGroup: number): void;
  }
}
