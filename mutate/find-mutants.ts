import {
  parseSync,
  Visitor,
  type BinaryExpression,
  type Expression,
  type PrivateInExpression,
  type Statement,
  type VisitorObject,
} from 'oxc-parser';
import type { Mutant, Span } from './mutant.ts';
import {
  changeBinary,
  changeCondition,
  changeLogical,
  changeNumber,
  changeReturned,
  changeStatement,
  type Change,
} from './mutators.ts';

/**
 * Finds all mutants of a TypeScript source, in the order of their places. Types and the texts of messages have none.
 * @throws Error if the source does not parse
 */
export function findMutants(source: string): Mutant[] {
  const { program, errors } = parseSync('source.ts', source, { preserveParens: false });
  if (errors[0] !== undefined) throw new Error(errors[0].message);
  const search = new Search(source);
  new Visitor(search.visitor()).visit(program);
  return search.found.sort((a, b) => a.start - b.start || b.end - a.end);
}

class Search {
  readonly found: Mutant[] = [];
  readonly #source: string;
  readonly #conditions = new Set<Expression>();
  /** The positions of property keys: a number that is a key is a name. */
  readonly #keys = new Set<number>();
  /** Depth of nesting in types and message texts, which are left alone. */
  #quiet = 0;
  /** Depth of nesting in functions, whose code runs only by a call. */
  #called = 0;

  constructor(source: string) {
    this.#source = source;
  }

  visitor(): VisitorObject {
    return { ...this.#expressions(), ...this.#statements(), ...this.#functions(), ...this.#leftAlone() };
  }

  #expressions(): VisitorObject {
    return {
      ConditionalExpression: ({ test }) => this.#condition(test, false),
      BinaryExpression: (node) => {
        if (isPrivateIn(node)) return;
        this.#add(node, changeBinary(node, this.#textOf, this.#conditions.has(node)));
      },
      LogicalExpression: (node) => this.#add(node, changeLogical(node, this.#textOf)),
      Literal: (node) => {
        if (typeof node.value === 'number' && !this.#keys.has(node.start))
          this.#add(node, changeNumber(node));
      },
      Property: ({ key, computed }) => {
        if (!computed) this.#keys.add(key.start);
      },
    };
  }

  #statements(): VisitorObject {
    return {
      IfStatement: ({ test }) => this.#condition(test, false),
      WhileStatement: ({ test }) => this.#condition(test, true),
      ForStatement: ({ test }) => {
        if (test !== null) this.#condition(test, true);
      },
      ExpressionStatement: ({ expression }) =>
        this.#add(expression, changeStatement(expression, this.#textOf)),
      ReturnStatement: ({ argument }) => {
        if (argument !== null) this.#add(argument, changeReturned(argument));
      },
      CatchClause: ({ body }) => this.#block(body, 'catch emptied'),
      TryStatement: ({ finalizer }) => {
        if (finalizer !== null) this.#block(finalizer, 'finally emptied');
      },
    };
  }

  #functions(): VisitorObject {
    const enter = (): void => void (this.#called += 1);
    const leave = (): void => void (this.#called -= 1);
    return {
      FunctionDeclaration: enter,
      'FunctionDeclaration:exit': leave,
      FunctionExpression: enter,
      'FunctionExpression:exit': leave,
      ArrowFunctionExpression: ({ body }) => {
        enter();
        if (body.type !== 'BlockStatement') this.#add(body, changeReturned(body));
      },
      'ArrowFunctionExpression:exit': leave,
      PropertyDefinition: (node) => {
        if (!node.static) enter();
      },
      'PropertyDefinition:exit': (node) => {
        if (!node.static) leave();
      },
    };
  }

  #leftAlone(): VisitorObject {
    const enter = (): void => void (this.#quiet += 1);
    const leave = (): void => void (this.#quiet -= 1);
    return {
      TSLiteralType: enter,
      'TSLiteralType:exit': leave,
      TemplateLiteral: enter,
      'TemplateLiteral:exit': leave,
    };
  }

  #condition(test: Expression, isLoop: boolean): void {
    this.#conditions.add(test);
    this.#add(test, changeCondition(this.#textOf(test), isLoop));
  }

  #block(block: Span & { readonly body: readonly Statement[] }, change: string): void {
    if (block.body.length > 0) this.#add(block, [{ replacement: '{}', change }], true);
  }

  #add({ start, end }: Span, changes: readonly Change[], isBlock = false): void {
    if (this.#quiet > 0) return;
    for (const change of changes) {
      const isKnown = this.found.some((it) => it.start === start && it.replacement === change.replacement);
      if (!isKnown) this.found.push({ start, end, ...change, isBlock, isStatic: this.#called === 0 });
    }
  }

  readonly #textOf = ({ start, end }: Span): string => this.#source.slice(start, end);
}

/** Recognises `#a in b`, whose left side is no expression. */
function isPrivateIn(node: BinaryExpression | PrivateInExpression): node is PrivateInExpression {
  return node.left.type === 'PrivateIdentifier';
}
