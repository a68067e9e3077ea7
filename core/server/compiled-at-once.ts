import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 compile each function of the modules that are loaded meanwhile as it reads them, and not when it is first called: for a process
 * that has time now, and is waited for when it has something to do.
 */
export async function compiledAtOnce<Loaded>(load: () => Promise<Loaded>): Promise<Loaded> {
  setFlagsFromString('--no-lazy');
  try {
    return await load();
  } finally {
    setFlagsFromString('--lazy');
  }
}
