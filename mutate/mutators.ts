import type {
  ArrayExpression,
  BinaryExpression,
  CallExpression,
  Expression,
  LogicalExpression,
  NumericLiteral,
} from 'oxc-parser';

/** The text that replaces an expression, and a description of the change. */
export interface Change {
  readonly replacement: string;
  readonly change: string;
}

const BOUNDARIES: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const EQUALITIES: Readonly<Record<string, string>> = { '===': '!==', '!==': '===' };
const ARITHMETIC: Readonly<Record<string, string>> = { '+': '-', '-': '+', '*': '/', '/': '*', '%': '*' };

type TextOf = (node: Expression) => string;

/** Changes the condition of an `if`, a `?:` or a loop. A loop never gets `true`: it would only hang. */
export function changeCondition(text: string, isLoop: boolean): Change[] {
  const changes = [
    { replacement: `!(${text})`, change: 'condition negated' },
    { replacement: 'false', change: 'condition false' },
  ];
  return isLoop ? changes : [...changes, { replacement: 'true', change: 'condition true' }];
}

/** Changes a binary expression. @param isCondition whether it is a whole condition, which is negated elsewhere */
export function changeBinary(node: BinaryExpression, textOf: TextOf, isCondition: boolean): Change[] {
  const { operator, left, right } = node;
  const swapped =
    BOUNDARIES[operator] ??
    (isCondition ? undefined : EQUALITIES[operator]) ??
    (isText(left) || isText(right) ? undefined : ARITHMETIC[operator]);
  if (swapped === undefined) return [];
  return [{ replacement: joined(left, swapped, right, textOf), change: `${operator} became ${swapped}` }];
}

export function changeLogical({ operator, left, right }: LogicalExpression, textOf: TextOf): Change[] {
  if (operator === '??') return [{ replacement: `(${textOf(left)})`, change: '?? dropped' }];
  const swapped = operator === '&&' ? '||' : '&&';
  // `&&` and `||` bind differently, and neither mixes with `??`.
  const replacement = `(${joined(left, swapped, right, textOf)})`;
  return [{ replacement, change: `${operator} became ${swapped}` }];
}

/** Joins two operands. The parentheses around an operand are no part of its text. */
function joined(left: Expression, operator: string, right: Expression, textOf: TextOf): string {
  return `(${textOf(left)}) ${operator} (${textOf(right)})`;
}

/** Changes a call that is a statement by itself, and so is there for its effect. */
export function changeStatement(node: Expression, textOf: TextOf): Change[] {
  const call = node.type === 'AwaitExpression' ? node.argument : node;
  if (!isCall(call)) return [];
  const removed = { replacement: 'undefined', change: 'call removed' };
  return call === node ? [removed] : [removed, { replacement: textOf(call), change: 'await removed' }];
}

/** Changes the value that a function returns. */
export function changeReturned(node: Expression): Change[] {
  if (node.type === 'Literal' && typeof node.value === 'boolean')
    return [{ replacement: String(!node.value), change: `returns ${!node.value}` }];
  if (node.type === 'ArrayExpression' && isFilled(node))
    return [{ replacement: '[]', change: 'returns an empty list' }];
  return isUndefined(node) ? [] : [{ replacement: 'undefined', change: 'returns undefined' }];
}

/** Doubles a number, so that more than a boundary moves. */
export function changeNumber({ value }: NumericLiteral): Change[] {
  const changed = String(value === 0 ? 1 : value * 2);
  return [{ replacement: changed, change: `${value} became ${changed}` }];
}

function isCall(node: Expression): node is CallExpression {
  if (node.type === 'ChainExpression') return node.expression.type === 'CallExpression';
  return node.type === 'CallExpression' && node.callee.type !== 'Super';
}

function isText(node: Expression | { readonly type: 'PrivateIdentifier' }): boolean {
  if (node.type === 'TemplateLiteral') return true;
  if (node.type === 'BinaryExpression') return isText(node.left) || isText(node.right);
  return node.type === 'Literal' && typeof node.value === 'string';
}

function isFilled({ elements }: ArrayExpression): boolean {
  return elements.length > 0;
}

function isUndefined(node: Expression): boolean {
  return (
    (node.type === 'Identifier' && node.name === 'undefined') ||
    (node.type === 'UnaryExpression' && node.operator === 'void') ||
    (node.type === 'ArrayExpression' && !isFilled(node)) ||
    (node.type === 'Literal' && node.value === null)
  );
}
