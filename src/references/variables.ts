/** A text whose variables cannot all be replaced; the message is a clause that says which one, and why. */
export class UnresolvedError extends Error {
  override readonly name = 'UnresolvedError';
}

export interface VariableRules {
  /** Returns the value of a variable, or undefined if it has none. @throws UnresolvedError if that cannot be told */
  readonly lookup: (name: string) => string | undefined;
  /** Says why a variable that `lookup` does not know has no value, as the message of an `UnresolvedError`. */
  readonly describeMissing: (name: string) => string;
  /** The escape character of a Dockerfile, where quotes are taken off. Absent in a compose file: `$$` is a `$` there. */
  readonly escape?: string;
}

/** More nested defaults than this are no honest file's. */
const MAX_DEPTH = 20;

const NAME = /[A-Za-z_]\w*/y;

const OPERATOR = /:?[-+?]/y;

/**
 * Replaces `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}` and `${NAME:?word}`, and the last three without the
 * colon, by which an empty value counts as one. Words may hold variables. Of a word that is not used, nothing is asked.
 * @throws UnresolvedError
 */
export function replaceVariables(text: string, rules: VariableRules): string {
  return new Replacement(text, rules, 0).run();
}

class Replacement {
  readonly #text: string;
  readonly #rules: VariableRules;
  readonly #depth: number;
  #at = 0;
  #quote: string | undefined;

  constructor(text: string, rules: VariableRules, depth: number) {
    if (depth > MAX_DEPTH) throw new UnresolvedError('its variables are nested too deeply');
    this.#text = text;
    this.#rules = rules;
    this.#depth = depth;
  }

  run(): string {
    let result = '';
    while (this.#at < this.#text.length) result += this.#next();
    return result;
  }

  #next(): string {
    const char = this.#text[this.#at] ?? '';
    this.#at += 1;
    const { escape } = this.#rules;
    if (escape === undefined && char === '$' && this.#skip('$')) return '$';
    if (escape !== undefined && this.#isQuote(char)) return '';
    if (this.#quote !== "'") {
      if (char === escape) return this.#escaped(escape);
      if (char === '$') return this.#variable();
    }
    return char;
  }

  #isQuote(char: string): boolean {
    if ((char !== '"' && char !== "'") || (this.#quote ?? char) !== char) return false;
    this.#quote = this.#quote === undefined ? char : undefined;
    return true;
  }

  #escaped(escape: string): string {
    const next = this.#text[this.#at] ?? '';
    this.#at += 1;
    return this.#quote === undefined || ['"', '$', escape].includes(next) ? next : `${escape}${next}`;
  }

  #variable(): string {
    const start = this.#at;
    const isBraced = this.#skip('{');
    const name = this.#match(NAME);
    if (name === undefined && !isBraced) return '$';
    if (!isBraced) return this.#valueOf(name ?? '');
    const end = closingBrace(this.#text, start + 1);
    const operator = this.#match(OPERATOR);
    const word = this.#text.slice(this.#at, end);
    if (name === undefined || (operator === undefined && word !== '')) {
      throw new UnresolvedError(`$${this.#text.slice(start, end + 1)} is a form that is not understood`);
    }
    this.#at = end + 1;
    return operator === undefined ? this.#valueOf(name) : this.#choose(name, operator, word);
  }

  #choose(name: string, operator: string, word: string): string {
    const value = this.#rules.lookup(name);
    const isSet = value !== undefined && !(operator.startsWith(':') && value === '');
    if (operator.endsWith('+')) return isSet ? this.#replaced(word) : '';
    if (isSet) return value;
    if (operator.endsWith('?')) throw new UnresolvedError(this.#rules.describeMissing(name));
    return this.#replaced(word);
  }

  #replaced(word: string): string {
    return new Replacement(word, this.#rules, this.#depth + 1).run();
  }

  #valueOf(name: string): string {
    const value = this.#rules.lookup(name);
    if (value === undefined) throw new UnresolvedError(this.#rules.describeMissing(name));
    return value;
  }

  #skip(char: string): boolean {
    const isThere = this.#text[this.#at] === char;
    if (isThere) this.#at += 1;
    return isThere;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }
}

/** Returns where the brace closes that is open before `from`. @throws UnresolvedError */
function closingBrace(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) open += 1;
    if (text[at] === '}') open -= 1;
    if (open === 0) return at;
  }
  throw new UnresolvedError(`a brace in ${text} is not closed`);
}
