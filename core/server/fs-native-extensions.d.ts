/** The part of fs-native-extensions 1.5 that popper uses; the package brings no types. */
declare module 'fs-native-extensions' {
  export function tryLock(
    descriptor: number,
    offset: number,
    length: number,
    options: { readonly shared: boolean },
  ): boolean;
  export function unlock(descriptor: number, offset: number, length: number): void;
}
