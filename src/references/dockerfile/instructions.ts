import { splitWords, unquote, type Word } from './words.ts';

/** An instruction of a Dockerfile without the text of its heredocs. */
export interface Instruction {
  /** In capitals; of an ONBUILD, the instruction that it holds back. */
  readonly keyword: string;
  readonly flags: readonly Flag[];
  readonly words: readonly Word[];
  /** Returns the line of a word, counted from 1. */
  readonly lineAt: (offset: number) => number;
}

/** `--name=value`, with the place of the value. */
interface Flag {
  readonly name: string;
  readonly value: Word;
}

/** A heredoc whose end is missing: what follows it may be its text or instructions. */
interface OpenHeredoc {
  readonly name: string;
  readonly line: number;
}

export interface Instructions {
  readonly instructions: readonly Instruction[];
  readonly open?: OpenHeredoc;
}

/** The instructions that may have heredocs (BuildKit, `heredocDirectives`). */
const WITH_HEREDOC: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD']);

/**
 * Splits a Dockerfile into its instructions by BuildKit's rules: lines that end in the escape character go on, blank
 * lines and comments between them count for nothing, and the text of a heredoc is no instruction. (The package
 * dockerfile-ast takes the text of `3<<EOF` for instructions, reads no flags behind ONBUILD, and leaves the defaults of
 * variables to its caller; what is left of the task is this file.)
 */
export function readInstructions(lines: readonly string[], escape: string): Instructions {
  const instructions: Instruction[] = [];
  let at = 0;
  while (at < lines.length) {
    const { pieces, next } = joinLines(lines, at, escape);
    at = next;
    const instruction = pieces.length === 0 ? undefined : parseInstruction(pieces, escape);
    if (instruction === undefined) continue;
    instructions.push(instruction);
    for (const heredoc of heredocsOf(instruction)) {
      const end = endOfHeredoc(lines, at, heredoc);
      if (end === -1) return { instructions, open: { name: heredoc.name, line: next } };
      at = end + 1;
    }
  }
  return { instructions };
}

interface Piece {
  readonly text: string;
  readonly line: number;
}

function joinLines(
  lines: readonly string[],
  start: number,
  escape: string,
): { pieces: Piece[]; next: number } {
  const goesOn = new RegExp(`(?<!\\${escape})\\${escape}[ \\t]*$`);
  const pieces: Piece[] = [];
  for (let at = start; at < lines.length; at += 1) {
    const text = lines[at] ?? '';
    if (/^\s*(?:#|$)/.test(text)) {
      if (pieces.length === 0) return { pieces, next: at + 1 };
      continue;
    }
    pieces.push({ text: text.replace(goesOn, ''), line: at + 1 });
    if (!goesOn.test(text)) return { pieces, next: at + 1 };
  }
  return { pieces, next: lines.length };
}

function parseInstruction(pieces: readonly Piece[], escape: string): Instruction | undefined {
  const words = splitWords(pieces.map(({ text }) => text).join(''), escape);
  const first = words[0]?.text.toUpperCase();
  const [keyword, ...rest] = first === 'ONBUILD' ? words.slice(1) : words;
  if (keyword === undefined) return undefined;
  const count = rest.findIndex(({ text }) => !text.startsWith('--'));
  const flags = rest.slice(0, count === -1 ? rest.length : count);
  return {
    keyword: keyword.text.toUpperCase(),
    flags: flags.map(parseFlag),
    words: rest.slice(flags.length),
    lineAt: (offset) => lineAt(pieces, offset),
  };
}

function parseFlag({ text, offset }: Word): Flag {
  const equals = text.indexOf('=');
  const end = equals === -1 ? text.length : equals;
  return {
    name: text.slice(2, end),
    value: { text: unquote(text.slice(end + 1)), offset: offset + end + 1 },
  };
}

function lineAt(pieces: readonly Piece[], offset: number): number {
  let end = 0;
  for (const { text, line } of pieces) {
    end += text.length;
    if (offset < end) return line;
  }
  return pieces.at(-1)?.line ?? 1;
}

interface Heredoc {
  readonly name: string;
  /** Whether tabs before its lines are taken off. */
  readonly isIndented: boolean;
}

function heredocsOf({ keyword, words }: Instruction): Heredoc[] {
  if (!WITH_HEREDOC.has(keyword) || words[0]?.text.startsWith('[') === true) return [];
  return words.flatMap(({ text }) => {
    const [, dash, rest = ''] = /^\d*<<(-?)([^<]+)$/.exec(text) ?? [];
    const name = unquote(rest);
    return name === '' || /["']/.test(name) ? [] : [{ name, isIndented: dash === '-' }];
  });
}

function endOfHeredoc(lines: readonly string[], start: number, { name, isIndented }: Heredoc): number {
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if ((isIndented ? line.replace(/^\t+/, '') : line) === name) return at;
  }
  return -1;
}
