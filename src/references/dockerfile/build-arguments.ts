import { replaceVariables, UnresolvedError, type VariableRules } from '../variables.ts';
import type { Word } from './words.ts';

/** Arguments that a build sets by the platforms it runs on and builds for, in every Dockerfile. */
const BY_PLATFORM = /^(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)$/;

/** The ARGs before the first FROM, which alone count in a FROM. */
export class BuildArguments {
  readonly #values = new Map<string, string | UnresolvedError | undefined>();
  readonly #given: ReadonlyMap<string, string>;
  readonly rules: VariableRules;

  constructor(escape: string, given: ReadonlyMap<string, string>) {
    this.#given = given;
    this.rules = {
      escape,
      lookup: (name) => this.#lookup(name),
      describeMissing: (name) => this.#describeMissing(name),
    };
  }

  /** Reads the words of an ARG: `NAME`, `NAME=default`. A default may use the arguments before it. */
  declare(words: readonly Word[]): void {
    for (const { text } of words) {
      const equals = text.indexOf('=');
      const name = equals === -1 ? text : text.slice(0, equals);
      const isDefaulted = equals !== -1 && !this.#given.has(name);
      if (isDefaulted) this.#values.set(name, this.#default(text.slice(equals + 1)));
      else if (!BY_PLATFORM.test(name) || this.#given.has(name))
        this.#values.set(name, this.#given.get(name));
    }
  }

  #default(text: string): string | UnresolvedError {
    try {
      return replaceVariables(text, this.rules);
    } catch (error) {
      if (error instanceof UnresolvedError) return error;
      throw error;
    }
  }

  #lookup(name: string): string | undefined {
    if (!this.#values.has(name) && BY_PLATFORM.test(name)) {
      throw new UnresolvedError(`${name} is another for each platform`);
    }
    const value = this.#values.get(name);
    if (value instanceof UnresolvedError) throw value;
    return value;
  }

  #describeMissing(name: string): string {
    return this.#values.has(name)
      ? `ARG ${name} has no default`
      : `no ARG before the first FROM declares ${name}`;
  }
}
