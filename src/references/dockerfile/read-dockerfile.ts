import { Findings, type References } from '../found.ts';
import { replaceVariables, UnresolvedError } from '../variables.ts';
import { BuildArguments } from './build-arguments.ts';
import { readDirectives } from './directives.ts';
import { readInstructions, type Instruction } from './instructions.ts';
import { unquote, type Word } from './words.ts';

export interface DockerfileOptions {
  /** Values that a build is given by `--build-arg`: they replace the defaults of the ARGs before the first FROM. */
  readonly buildArgs?: ReadonlyMap<string, string>;
}

/**
 * Finds the images that a build with this Dockerfile pulls: those of FROM, of `COPY --from=`, of `RUN --mount=from=`
 * (also behind ONBUILD), and of the directive `syntax`. Stages of the file itself are none, and neither is `scratch`.
 */
export function readDockerfile(file: string, text: string, options: DockerfileOptions = {}): References {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const { escape, syntax } = readDirectives(lines);
  const { instructions, open } = readInstructions(lines, escape);
  const findings = new Findings(file);
  if (syntax !== undefined) findings.add(syntax.image, syntax.line);
  const build = new Build(findings, escape, options.buildArgs ?? new Map());
  build.read(instructions);
  if (open !== undefined) findings.miss(`<<${open.name}`, open.line, 'the end of this heredoc is missing');
  return findings;
}

class Build {
  readonly #findings: Findings;
  readonly #escape: string;
  readonly #arguments: BuildArguments;
  /** The names of the stages so far, in lower case; an unnamed one is ''. */
  readonly #stages: string[] = [];

  constructor(findings: Findings, escape: string, buildArgs: ReadonlyMap<string, string>) {
    this.#findings = findings;
    this.#escape = escape;
    this.#arguments = new BuildArguments(escape, buildArgs);
  }

  read(instructions: readonly Instruction[]): void {
    // A stage that comes later is no image either: the build fails with an error about it.
    const names = new Set(instructions.map(stageName).filter((name) => name !== ''));
    for (const instruction of instructions) {
      if (instruction.keyword === 'ARG' && this.#stages.length === 0)
        this.#arguments.declare(instruction.words);
      if (instruction.keyword === 'FROM') {
        this.#from(instruction);
        this.#stages.push(stageName(instruction));
      }
      for (const { text, offset } of sourcesOf(instruction)) {
        this.#source(text, instruction.lineAt(offset), names);
      }
    }
  }

  #from(instruction: Instruction): void {
    const [word] = instruction.words;
    if (word === undefined) return;
    const line = instruction.lineAt(word.offset);
    try {
      const image = this.#replaced(word.text);
      if (image === 'scratch' || this.#stages.includes(image.toLowerCase())) return;
      this.#findings.add(image, line, this.#platforms(instruction));
    } catch (error) {
      if (!(error instanceof UnresolvedError)) throw error;
      this.#findings.miss(word.text, line, error.message);
    }
  }

  /** Returns no platform if it is the one of the build, or unknown. */
  #platforms({ flags }: Instruction): readonly string[] {
    const value = flags.find(({ name }) => name === 'platform')?.value.text;
    if (value === undefined) return [];
    try {
      return [this.#replaced(value)];
    } catch (error) {
      if (!(error instanceof UnresolvedError)) throw error;
      return [];
    }
  }

  #replaced(text: string): string {
    return replaceVariables(text, { ...this.#arguments.rules, escape: this.#escape });
  }

  #source(text: string, line: number, names: ReadonlySet<string>): void {
    const isStage = /^\d+$/.test(text) || names.has(text.toLowerCase());
    if (text === '' || text === 'scratch' || isStage) return;
    if (text.includes('$')) this.#findings.miss(text, line, 'a build replaces no variables in "from="');
    else this.#findings.add(text, line);
  }
}

/** Returns the name that a FROM gives to its stage, in lower case; '' if there is none. */
function stageName({ keyword, words }: Instruction): string {
  const isNamed = keyword === 'FROM' && words[1]?.text.toUpperCase() === 'AS';
  return isNamed ? (words[2]?.text ?? '').toLowerCase() : '';
}

/** Returns the values of `COPY --from=` and of `RUN --mount=...,from=`. */
function sourcesOf({ keyword, flags }: Instruction): readonly Word[] {
  if (keyword === 'COPY') return flags.filter(({ name }) => name === 'from').map(({ value }) => value);
  if (keyword !== 'RUN') return [];
  return flags
    .filter(({ name }) => name === 'mount')
    .flatMap(({ value }) =>
      [...value.text.matchAll(/(?<=^|,)\s*from=([^,]*)/g)].map((match) => sourceAt(value, match)),
    );
}

function sourceAt({ offset }: Word, { 0: whole, 1: text = '', index }: RegExpExecArray): Word {
  return { text: unquote(text), offset: offset + index + whole.length - text.length };
}
