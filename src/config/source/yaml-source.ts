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

/** Both count from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mistake in the YAML itself, or a key written twice. `path` is empty where no key can be named. */
export interface YamlProblem {
  readonly position: Position;
  readonly path: KeyPath;
  readonly message: string;
}

export interface YamlSource {
  /** The file as plain values; undefined where its YAML is broken. An empty file is null. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where the key or list item at `path` is, or the nearest around it that the file holds. */
  readonly positionOf: (path: KeyPath) => Position;
}

/**
 * Reads YAML 1.2. Never throws; no message repeats a value, which may be a secret.
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
    // An empty file has no lines, so yaml says 0.
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
  // What a broken document seems to say is a guess; more errors from it would mislead.
  if (broken.length > 0) return { value: undefined, problems: broken };
  try {
    return { value: document.toJS(), problems: duplicates };
  } catch {
    // yaml counts how often aliases multiply and gives up on a "billion laughs".
    return {
      value: undefined,
      problems: [{ position: START, path: [], message: 'expected fewer YAML aliases' }],
    };
  }
}

/**
 * In a flow map, `{ password: ${TOKEN} }`, YAML would end the map at the variable's brace. Noncharacters
 * (Unicode 23.7) stand for the braces while YAML is read, so that positions stay the same.
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
 * One problem a line, and none behind a quote that is left open: the parser's further complaints are most
 * often echoes of the first.
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

/** Where the quote begins whose end is missing: yaml tells where it looked for the end. */
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

/** Errors whose message repeats what the file holds. */
const NAMES_TEXT: ReadonlyMap<string, string> = new Map([
  ['BAD_DIRECTIVE', 'Unknown directive'],
  ['BAD_DQ_ESCAPE', 'Invalid escape sequence'],
  ['TAG_RESOLVE_FAILED', 'Unknown tag'],
]);

function syntaxMessage({ code, message }: YAMLError): string {
  // Behind a colon stands text of the file, behind a semicolon advice to programmers.
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

// Aliases are not followed: what they repeat has its line where it was written.
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
