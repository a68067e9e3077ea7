import { didYouMean } from '../did-you-mean.ts';
import { Misuse } from './apply-error.ts';

/** Asked for by the language and not by a plugin, when it awaits a value or makes JSON of it. */
const askedByItself = new Set(['then', 'toJSON']);

/**
 * The object, but reading a name that it does not have throws a Misuse that tells of the nearest. Plugins may be plain
 * JavaScript, where a slip would otherwise show as a call on undefined. Whether a name is there is asked by `in`.
 */
export function strict<T extends object>(name: string, object: T): T {
  return new Proxy(object, {
    get(target, key): unknown {
      if (typeof key === 'string' && !(key in target) && !askedByItself.has(key)) {
        throw new Misuse(`there is no ${name}.${key}`, fixOf(name, key, Object.keys(target)));
      }
      return Reflect.get(target, key);
    },
  });
}

function fixOf(name: string, key: string, names: readonly string[]): string {
  const meant = didYouMean(key, names);
  return meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${name}.${meant}?`;
}
