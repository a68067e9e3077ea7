// Compiles kernel.ts to WebAssembly and writes it as ../kernel.generated.ts. `npm run build` calls it; the compiler is
// loaded only when the source has changed since.

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const sourceFile = new URL('kernel.ts', import.meta.url);
const outputFile = new URL('../kernel.generated.ts', import.meta.url);
const compilerManifest = new URL('package.json', import.meta.resolve('assemblyscript/package.json'));

// 72 pages of memory, 4.5 MiB, and no more: see the layout at the top of kernel.ts. It never grows, for views of it would be
// detached, and the socket may be reading from one.
const options =
  'kernel.ts --outFile kernel.wasm --enable simd -O3 --noAssert --runtime stub --initialMemory 72 --maximumMemory 72';

const firstLine = `// Made by kernel/build.mjs, key ${key()}. Not kept in the repository.`;
if (!isCurrent()) write(await compile());

/** Names all that the output depends on. */
function key() {
  const hash = createHash('sha256').update(options);
  for (const file of [sourceFile, new URL(import.meta.url), compilerManifest])
    hash.update(readFileSync(file));
  return hash.digest('hex');
}

function isCurrent() {
  try {
    return readFileSync(outputFile, 'utf8').startsWith(`${firstLine}\n`);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

async function compile() {
  const { default: compiler } = await import('assemblyscript/asc');
  let octets;
  const messages = [];
  const { error } = await compiler.main(options.split(' '), {
    readFile: (name) => (name === 'kernel.ts' ? readFileSync(sourceFile, 'utf8') : null),
    writeFile: (name, contents) => {
      if (name === 'kernel.wasm') octets = contents;
    },
    listFiles: () => [],
    stderr: { write: (message) => messages.push(message) },
  });
  if (error !== null || octets === undefined) {
    throw new Error(`the kernel does not compile:\n${messages.join('')}`, { cause: error });
  }
  return octets;
}

/** By way of a rename, so that a build running beside this one never reads half a file. */
function write(octets) {
  const temporaryFile = new URL(`../kernel.${process.pid}.generated.ts`, import.meta.url);
  const base64 = Buffer.from(octets).toString('base64');
  writeFileSync(temporaryFile, `${firstLine}\nexport const kernelModuleBase64 =\n  '${base64}';\n`);
  renameSync(temporaryFile, outputFile);
}
