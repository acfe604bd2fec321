/** A word of an instruction, with its quotes, and where it starts in the text. */
export interface Word {
  readonly text: string;
  readonly offset: number;
}

/** Splits at blanks that stand outside of quotes and behind no escape character, as BuildKit's shell lexer does. */
export function splitWords(text: string, escape: string): readonly Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (isBlank(text[at])) {
      at += 1;
      continue;
    }
    const end = endOfWord(text, at, escape);
    words.push({ text: text.slice(at, end), offset: at });
    at = end;
  }
  return words;
}

function endOfWord(text: string, start: number, escape: string): number {
  let quote: string | undefined;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === escape && quote !== "'") at += 1;
    else if (char === quote) quote = undefined;
    else if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (quote === undefined && isBlank(char)) return at;
  }
  return text.length;
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t';
}

/** Takes the quotes off; what stands between them stays as it is. */
export function unquote(text: string): string {
  return text.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2');
}
