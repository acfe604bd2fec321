import {
  LineCounter,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from 'yaml';
import type { KeyPath } from '../config-problem.ts';

/** A line and a column, both counted from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mistake in the YAML itself, or a repeated key. `path` is empty if no key can be named. */
export interface YamlProblem {
  readonly position: Position;
  readonly path: KeyPath;
  readonly message: string;
}

export interface YamlSource {
  /** The file as plain values; undefined if its YAML is broken. An empty file is null. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Returns the position of the key or list item at `path`, or of the nearest one around it in the file. */
  readonly positionOf: (path: KeyPath) => Position;
}

/**
 * Reads YAML 1.2. Never throws. No message quotes a value, which may be a secret.
 */
export function parseYaml(text: string): YamlSource {
  const counter = new LineCounter();
  const document = parseDocument(maskVariables(text), {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
  });
  unmaskVariables(document);
  const positionAt: PositionAt = (offset = 0) => {
    const { line, col } = counter.linePos(offset);
    // For an empty file, which has no lines, yaml says 0.
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const broken = [...syntaxProblems(document, positionAt), ...aliasProblems(document, positionAt)];
  const keys = indexKeys(document, positionAt);
  return {
    ...toValue(document, broken, keys.duplicates),
    positionOf: (path) => nearestPosition(keys.positions, path),
  };
}

function toValue(
  document: Document.Parsed,
  broken: readonly YamlProblem[],
  duplicates: readonly YamlProblem[],
): Pick<YamlSource, 'value' | 'problems'> {
  // The values of a broken document are a guess, and further errors about them would mislead.
  if (broken.length > 0) return { value: undefined, problems: broken };
  try {
    return { value: document.toJS(), problems: duplicates };
  } catch {
    // yaml counts how aliases multiply, and gives up on a "billion laughs".
    return {
      value: undefined,
      problems: [{ position: START, path: [], message: 'expected fewer YAML aliases' }],
    };
  }
}

/**
 * Masks the braces of variables: YAML would end the flow map `{ password: ${TOKEN} }` at the variable's brace.
 * Noncharacters (Unicode 23.7) replace the braces while YAML is read, so that positions stay the same.
 */
function maskVariables(text: string): string {
  return text.replaceAll(/\$\{(\w+)\}/g, '$\uFDD0$1\uFDD1');
}

function unmaskVariables(document: Document.Parsed): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value.replaceAll(/\$\uFDD0(\w+)\uFDD1/g, '${$1}');
    },
  });
}

type PositionAt = (offset: number | undefined) => Position;

const START: Position = { line: 1, column: 1 };

/**
 * Returns at most one problem per line, and none after an open quote: the parser's further problems mostly follow from
 * the first.
 */
function syntaxProblems(document: Document.Parsed, positionAt: PositionAt): YamlProblem[] {
  const byLine = new Map<number, YamlProblem>();
  let end = Number.POSITIVE_INFINITY;
  for (const error of [...document.errors, ...document.warnings]) {
    const quote = openQuote(document, error);
    const position = positionAt(quote ?? error.pos[0]);
    if (error.pos[0] >= end || byLine.has(position.line)) continue;
    end = quote ?? end;
    byLine.set(position.line, { position, path: [], message: syntaxMessage(error) });
  }
  return [...byLine.values()];
}

/** Returns where the quote without an end begins: yaml tells only where it looked for the end. */
function openQuote(document: Document.Parsed, error: YAMLError): number | undefined {
  let start: number | undefined;
  if (error.code !== 'MISSING_CHAR') return undefined;
  visit(document, {
    Scalar(_key, { type, range }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      const isOpen = isQuoted && range && range[0] < error.pos[0] && error.pos[0] <= range[1];
      if (isOpen === true) start = range[0];
    },
  });
  return start;
}

const NEEDS_QUOTES: ReadonlySet<string> = new Set([
  'BAD_SCALAR_START',
  'MISSING_CHAR',
  'TAG_RESOLVE_FAILED',
  'UNEXPECTED_TOKEN',
]);

/** Messages in place of yaml's own ones that quote the file. */
const NAMES_TEXT: ReadonlyMap<string, string> = new Map([
  ['BAD_DIRECTIVE', 'Unknown directive'],
  ['BAD_DQ_ESCAPE', 'Invalid escape sequence'],
  ['TAG_RESOLVE_FAILED', 'Unknown tag'],
]);

function syntaxMessage({ code, message }: YAMLError): string {
  // After a colon, yaml quotes the file; after a semicolon, it advises programmers.
  const reason = message
    .replace(/(?<=\w)[:;] .*$/su, '')

    .replace(/["']quote$/, 'quote');
  const hint = NEEDS_QUOTES.has(code) ? '; values with special characters need quotes' : '';
  return `expected valid YAML, got an error: ${NAMES_TEXT.get(code) ?? reason}${hint}`;
}

function aliasProblems(document: Document.Parsed, positionAt: PositionAt): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) !== undefined) return;
      const message = 'expected an anchor for this alias; a value that starts with "*" needs quotes';
      problems.push({ position: positionAt(node.range?.[0]), path: [], message });
    },
  });
  return problems;
}

interface KeyIndex {
  readonly positions: Map<string, Position>;
  readonly duplicates: YamlProblem[];
}

function indexKeys(document: Document.Parsed, positionAt: PositionAt): KeyIndex {
  const index: KeyIndex = { positions: new Map(), duplicates: [] };
  index.positions.set(pathKey([]), positionAt(document.contents?.range[0]));
  indexNode(document.contents, [], index, positionAt);
  return index;
}

// Does not follow aliases: the lines that count are those of the anchored text.
function indexNode(node: unknown, path: KeyPath, index: KeyIndex, positionAt: PositionAt): void {
  if (isAlias(node)) return;
  if (isMap(node)) {
    for (const { key, value } of node.items) indexPair(key, value, path, index, positionAt);
  } else if (isSeq<Node>(node)) {
    for (const [position, item] of node.items.entries()) {
      index.positions.set(pathKey([...path, position]), positionAt(item.range?.[0]));
      indexNode(item, [...path, position], index, positionAt);
    }
  }
}

function indexPair(
  key: unknown,
  value: unknown,
  parent: KeyPath,
  index: KeyIndex,
  positionAt: PositionAt,
): void {
  if (!isScalar(key)) return;
  const path = [...parent, String(key.value)];
  const position = positionAt(key.range?.[0]);
  const first = index.positions.get(pathKey(path));
  if (first === undefined) index.positions.set(pathKey(path), position);
  else
    index.duplicates.push({
      position,
      path,
      message: `expected each key once, already written on line ${first.line}`,
    });
  indexNode(value, path, index, positionAt);
}

function nearestPosition(positions: ReadonlyMap<string, Position>, path: KeyPath): Position {
  for (let length = path.length; length > 0; length -= 1) {
    const position = positions.get(pathKey(path.slice(0, length)));
    if (position !== undefined) return position;
  }
  return positions.get(pathKey([])) ?? START;
}

function pathKey(path: KeyPath): string {
  return JSON.stringify(path);
}
