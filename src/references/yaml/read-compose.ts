import { Findings, type References } from '../found.ts';
import { replaceVariables, UnresolvedError } from '../variables.ts';
import { readYaml, type YamlNode } from './yaml-node.ts';

export interface ComposeOptions {
  /** The variables that `${NAME}` is replaced by. By default none has a value, and the file's own defaults count. */
  readonly variables?: ReadonlyMap<string, string>;
}

/**
 * Finds the images of a compose file's services, of all its documents. A service that is built gives no image: what its
 * `image` names then is what the build makes.
 */
export function readCompose(file: string, text: string, options: ComposeOptions = {}): References {
  const { documents, problems } = readYaml(text);
  const findings = new Findings(file);
  const reader = new ComposeReader(findings, options.variables ?? new Map());
  for (const document of documents) reader.read(document);
  for (const { line, message } of problems) findings.miss('', line, message);
  return findings;
}

class ComposeReader {
  readonly #findings: Findings;
  readonly #variables: ReadonlyMap<string, string>;

  constructor(findings: Findings, variables: ReadonlyMap<string, string>) {
    this.#findings = findings;
    this.#variables = variables;
  }

  read(document: YamlNode): void {
    for (const [name, service] of document.get('services')?.entries ?? []) this.#service(name, service);
    const included = document.get('include');
    if (included !== undefined) this.#findings.note(included.line, 'the files that it includes are not read');
  }

  #service(name: string, service: YamlNode): void {
    const build = service.get('build');
    const image = service.get('image');
    if (build !== undefined) this.#findings.note(build.line, `service ${name} is built, not pulled`);
    else if (image !== undefined) this.#image(image, service);
    else this.#noImage(name, service);
    for (const volume of service.get('volumes')?.items ?? []) {
      const source = volume.get('type')?.text === 'image' ? volume.get('source') : undefined;
      if (source !== undefined) this.#image(source, service);
    }
  }

  #noImage(name: string, service: YamlNode): void {
    const from = service.get('extends');
    const message =
      from === undefined ? 'names no image' : 'takes its image from the service that it extends';
    this.#findings.note((from ?? service).line, `service ${name} ${message}`);
  }

  #image(image: YamlNode, service: YamlNode): void {
    const { text } = image;
    if (text === undefined) return this.#findings.miss('', image.line, 'expected the name of an image');
    try {
      const platform = service.get('platform')?.text;
      const platforms = platform === undefined ? [] : [this.#replaced(platform)];
      this.#findings.add(this.#replaced(text), image.line, platforms);
    } catch (error) {
      if (!(error instanceof UnresolvedError)) throw error;
      this.#findings.miss(text, image.line, error.message);
    }
  }

  #replaced(text: string): string {
    return replaceVariables(text, {
      lookup: (name) => this.#variables.get(name),
      describeMissing: (name) => `the variable ${name} has no default`,
    });
  }
}
