import module from 'node:module';

import {
  type AnyNode,
  type ArrowFunctionExpression,
  type FunctionDeclaration,
  type FunctionExpression,
  parse,
  type Program,
} from 'acorn';

/** The file's syntax tree, or undefined where it does not parse. */
export function treeOf(file: string, text: string): Program | undefined {
  try {
    return parseModule(file, text);
  } catch {
    return undefined;
  }
}

/** The same, but throws the SyntaxError. Positions are those of the text, in TypeScript too. */
export function parseModule(file: string, text: string): Program {
  return parse(file.endsWith('.ts') ? withoutTypes(text) : text, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: true,
  });
}

/** Whether the file has imports or exports. One that does not parse is a module, too: then it is not told to be none. */
export function isModule(file: string, text: string): boolean {
  const tree = treeOf(file, text);
  return tree === undefined || tree.body.some(({ type }) => /^(?:Import|Export)[A-Z]/.test(type));
}

/** Blanks in place of types, so that every position stays. */
function withoutTypes(text: string): string {
  const warn = process.emitWarning.bind(process);
  // It says once that it is experimental, to an operator who did not ask.
  process.emitWarning = () => {};
  try {
    return module.stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = warn;
  }
}

/** What the file exports by default, or assigns to `module.exports`. */
export function exportOf(tree: Program): AnyNode | undefined {
  for (const node of tree.body) {
    if (node.type === 'ExportDefaultDeclaration') return node.declaration;
    if (node.type === 'ExpressionStatement' && node.expression.type === 'AssignmentExpression') {
      return node.expression.right;
    }
  }
  return undefined;
}

/** What the last `return` of a function's own gives back. */
export function lastReturned(body: AnyNode): AnyNode | undefined {
  let last: AnyNode | undefined;
  for (const node of nodesIn(body, isFunction)) {
    if (node.type === 'ReturnStatement' && node.argument) last = node.argument;
  }
  return last;
}

export function isFunction(
  node: AnyNode,
): node is ArrowFunctionExpression | FunctionDeclaration | FunctionExpression {
  const { type } = node;
  return (
    type === 'ArrowFunctionExpression' || type === 'FunctionExpression' || type === 'FunctionDeclaration'
  );
}

/** The node and all below it in the order of the text, without those below a node that is to be left out. */
export function* nodesIn(
  node: AnyNode,
  leftOut: (node: AnyNode) => boolean = () => false,
): Generator<AnyNode> {
  yield node;
  for (const child of Object.values(node).flat()) {
    if (isNode(child) && !leftOut(child)) yield* nodesIn(child, leftOut);
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
