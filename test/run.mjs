// `npm test`: sees to the programs that tests run, then runs every test in one go. Arguments are handed on: an option as
// one word (`npm test -- --test-name-pattern=UIDL`), and paths, which then stand instead of all tests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { aptLine, installPackages, missingPackages } from './packages.mjs';

const root = join(import.meta.dirname, '..');
// No test takes half as long; without a limit one that waits for what never comes would say nothing at all.
const hungAfterMs = 300_000;
const everything = ['core/**/*.test.ts', 'plugins/**/*.test.ts', 'test/**/*.test.ts', 'docs/**/*.test.ts'];

// In CI a skipped test would be a hole that nobody sees, so there whatever makes one is a failure.
const isInCi = process.env['CI'] === 'true';

if (isInCi && process.getuid?.() !== 0) {
  console.error("CI=true needs root: with another user the tests of isolation: 'user' would all be skipped");
  process.exitCode = 1;
} else {
  preparePackages();
  process.exitCode = runTests(process.argv.slice(2));
}

function preparePackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (isInCi || process.env['POPPER_TEST_INSTALL'] === '1') return installPackages(missing);
  console.log('Tests that need these Debian packages will be SKIPPED:');
  for (const { name, why } of missing) console.log(`  ${name}: ${why}`);
  console.log(`To run them too: ${aptLine(missing)}\n(or POPPER_TEST_INSTALL=1 npm test)\n`);
}

function runTests(handedOn) {
  const folder = mkdtempSync(join(tmpdir(), 'popper-test-'));
  const skippedFile = join(folder, 'skipped');
  const options = handedOn.filter((word) => word.startsWith('-'));
  const files = handedOn.filter((word) => !word.startsWith('-'));
  try {
    const { status, error } = spawnSync(
      process.execPath,
      [
        '--conditions=popper-source',
        '--test',
        '--test-concurrency=2',
        `--test-timeout=${hungAfterMs}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${join(import.meta.dirname, 'skipped.mjs')}`,
        `--test-reporter-destination=${skippedFile}`,
        ...options,
        ...(files.length > 0 ? files : everything),
      ],
      { cwd: root, stdio: 'inherit' },
    );
    if (error) throw error;
    const isWhole = tellSkipped(readFileSync(skippedFile, 'utf8'));
    return status === 0 && isInCi && !isWhole ? 1 : (status ?? 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether none was. */
function tellSkipped(list) {
  if (list === '') return true;
  console.log(`\nSKIPPED, so not tested here${isInCi ? ', which is a failure in CI' : ''}:\n${list}`);
  return false;
}
