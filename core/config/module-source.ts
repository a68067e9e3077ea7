import type { AnyNode, Program } from 'acorn';

import type { Path, Source, Span } from './source.ts';
import { exportOf, isFunction, lastReturned, nodesIn, treeOf } from './syntax-tree.ts';

/**
 * Finds the values of a TypeScript or JavaScript config in its text, without running it: through `defineConfig(...)`, a
 * function that returns the configuration, names declared in the same file, spreads, `condition && plugin(...)`, and the
 * options in a plugin's call.
 */
export function moduleSource(file: string, text: string): Source {
  const tree = treeOf(file, text);
  if (tree === undefined) return { file, text, locate: () => undefined, locateKey: () => undefined };
  const finder = new Finder(tree);
  return {
    file,
    text,
    locate: (path) => finder.find(path).span,
    locateKey: (path) => finder.find(path).key,
  };
}

interface Found {
  readonly span: Span | undefined;
  readonly key?: Span | undefined;
}

interface Step {
  readonly value: AnyNode;
  readonly key?: AnyNode;
}

class Finder {
  readonly #root: AnyNode | undefined;
  /** What each name of the file stands for; where a name is declared twice, the first. */
  readonly #declared = new Map<string, AnyNode>();

  constructor(tree: Program) {
    for (const node of nodesIn(tree)) this.#declare(node);
    this.#root = exportOf(tree);
  }

  find(path: Path): Found {
    let node = this.#root && this.#meaning(this.#root);
    if (node?.type === 'CallExpression') node = this.#meaning(node.arguments[0] ?? node);
    let found: Found = { span: node };
    for (const key of path) {
      const step = node && this.#step(node, key);
      if (step === undefined) return { span: found.span };
      node = step.value;
      found = { span: this.#meaning(node), key: step.key };
    }
    return found;
  }

  #declare(node: AnyNode): void {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init) {
      if (!this.#declared.has(node.id.name)) this.#declared.set(node.id.name, node.init);
    }
    if (node.type === 'FunctionDeclaration' && node.id) this.#declared.set(node.id.name, node);
  }

  /** What an expression stands for: the value of a name, the result of a function, the plugin behind a condition. */
  #meaning(node: AnyNode, depth = 0): AnyNode {
    const inner = depth < 20 ? this.#inner(node) : undefined;
    return inner === undefined ? node : this.#meaning(inner, depth + 1);
  }

  #inner(node: AnyNode): AnyNode | undefined {
    if (node.type === 'Identifier') return this.#declared.get(node.name);
    if (node.type === 'AwaitExpression') return node.argument;
    if (node.type === 'LogicalExpression') return node.operator === '&&' ? node.right : node.left;
    if (node.type === 'CallExpression') return this.#called(node.callee);
    if (!isFunction(node)) return undefined;
    return node.body.type === 'BlockStatement' ? lastReturned(node.body) : node.body;
  }

  /** A function of this file, whose result the call stands for. */
  #called(callee: AnyNode): AnyNode | undefined {
    const declared = callee.type === 'Identifier' ? this.#declared.get(callee.name) : undefined;
    return declared && isFunction(declared) ? declared : undefined;
  }

  #step(container: AnyNode, key: PropertyKey): Step | undefined {
    const node = this.#meaning(container);
    if (node.type === 'ObjectExpression') return this.#property(node.properties, key);
    if (node.type === 'ArrayExpression') return this.#element(node.elements, key);
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return undefined;
    const [options] = node.arguments;
    return options && this.#step(options, key);
  }

  /** A later property takes precedence over an earlier one, spread ones among them. */
  #property(properties: readonly AnyNode[], key: PropertyKey): Step | undefined {
    for (const property of properties.toReversed()) {
      if (property.type === 'SpreadElement') {
        const step = this.#step(property.argument, key);
        if (step) return step;
      }
      if (property.type === 'Property' && !property.computed && nameOf(property.key) === key) {
        return { value: property.value, key: property.key };
      }
    }
    return undefined;
  }

  #element(elements: readonly (AnyNode | null)[], key: PropertyKey): Step | undefined {
    if (typeof key !== 'number') return undefined;
    const value = this.#spreadOut(elements)?.[key];
    return value ? { value } : undefined;
  }

  /** The elements with spread arrays put in; undefined where one of those is not written out in this file. */
  #spreadOut(elements: readonly (AnyNode | null)[]): readonly (AnyNode | null)[] | undefined {
    const all: (AnyNode | null)[] = [];
    for (const element of elements) {
      if (element?.type !== 'SpreadElement') {
        all.push(element);
        continue;
      }
      const spread = this.#meaning(element.argument);
      const inner = spread.type === 'ArrayExpression' ? this.#spreadOut(spread.elements) : undefined;
      if (inner === undefined) return undefined;
      all.push(...inner);
    }
    return all;
  }
}

function nameOf(key: AnyNode): unknown {
  if (key.type === 'Identifier') return key.name;
  return key.type === 'Literal' ? key.value : undefined;
}
