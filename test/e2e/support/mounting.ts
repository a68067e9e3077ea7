import type { TestContext } from 'node:test';

/** Options of a test that mounts a file system. */
export const asRoot = { skip: process.getuid?.() !== 0 && 'needs root, to mount a file system' };

/**
 * Mounts; undefined where this machine lets nobody do that, and then the test is skipped. Rejects with what `mount` threw where
 * all tests must run: there a skipped one would be a hole that nobody sees.
 */
export async function mounted<T>(
  t: Pick<TestContext, 'skip'>,
  mount: () => Promise<T>,
  where: Where = { env: process.env, uid: process.getuid?.() },
): Promise<T | undefined> {
  try {
    return await mount();
  } catch (error) {
    if (mustMount(where)) throw error;
    t.skip(`nothing can be mounted here: ${String(error)}`);
    return undefined;
  }
}

interface Where {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number | undefined;
}

/** As in test/run.mjs, where a package that cannot be had is a failure then. */
const mustMount = ({ env, uid }: Where): boolean =>
  uid === 0 && (env['CI'] === 'true' || env['POPPER_TEST_INSTALL'] === '1');
