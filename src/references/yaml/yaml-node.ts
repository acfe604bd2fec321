import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type YAMLError,
} from 'yaml';

/** A stream of YAML documents as far as it can be read. JSON is YAML too. */
export interface YamlStream {
  readonly documents: readonly YamlNode[];
  readonly problems: readonly YamlProblem[];
}

interface YamlProblem {
  readonly line: number;
  /** A clause such as `this is no YAML: Implicit keys need to be on a single line`. */
  readonly message: string;
}

/** Reads all documents of a text. One that is no YAML is a problem, and the others are read all the same. */
export function readYaml(text: string): YamlStream {
  const counter = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, counter.linePos(offset).line);
  const documents: YamlNode[] = [];
  const problems: YamlProblem[] = [];
  for (const document of parse(text, counter)) {
    const [error] = document.errors;
    if (error === undefined) documents.push(new YamlNode(document.contents, { document, lineAt }));
    else problems.push({ line: lineAt(error.pos[0]), message: describe(error) });
  }
  return { documents, problems };
}

function parse(text: string, lineCounter: LineCounter): readonly Document[] {
  const parsed = parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  return Array.isArray(parsed) ? parsed : [];
}

function describe({ code, message }: YAMLError): string {
  return code === 'RESOURCE_EXHAUSTION' ? 'this YAML is nested too deeply' : `this is no YAML: ${message}`;
}

interface Origin {
  readonly document: Document;
  readonly lineAt: (offset: number) => number;
}

/** A value of a YAML document with its line. Aliases are followed, and the line is that of the anchor, if there is one. */
export class YamlNode {
  readonly #origin: Origin;
  readonly #source: Node | null | undefined;
  readonly #node: Node | null | undefined;

  constructor(node: unknown, origin: Origin) {
    this.#origin = origin;
    this.#source = node as Node | null | undefined;
    this.#node = isAlias(this.#source) ? this.#source.resolve(origin.document) : this.#source;
  }

  /** The same object for all aliases of one anchor; undefined for an empty value. */
  get identity(): object | undefined {
    return this.#node ?? undefined;
  }

  get line(): number {
    return this.#origin.lineAt((this.#node ?? this.#source)?.range?.[0] ?? 0);
  }

  /** The text of a value that is neither a map nor a list, as it is written: `1.10` stays that. Undefined of others. */
  get text(): string | undefined {
    if (!isScalar(this.#node) || this.#node.value === null) return undefined;
    const { value, source } = this.#node;
    return typeof value === 'string' ? value : (source ?? '');
  }

  /** The items of a list; none of anything else. */
  get items(): readonly YamlNode[] {
    return isSeq(this.#node) ? this.#node.items.map((item) => this.#child(item)) : [];
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** The entries of a map as they are written; of a merge key `<<` too. None of anything else. */
  get entries(): ReadonlyArray<readonly [key: string, value: YamlNode]> {
    if (!isMap(this.#node)) return [];
    return this.#node.items.map(
      ({ key, value }) => [this.#child(key).text ?? '', this.#child(value)] as const,
    );
  }

  /** Returns the value of a key, also one that a merge key `<<` brings; the map's own keys come first. */
  get(key: string): YamlNode | undefined {
    return this.#get(key, new Set());
  }

  #get(key: string, visited: Set<object>): YamlNode | undefined {
    if (this.#node === null || this.#node === undefined || visited.has(this.#node)) return undefined;
    visited.add(this.#node);
    const { entries } = this;
    const own = entries.find(([name]) => name === key);
    if (own !== undefined) return own[1];
    const merged = entries.filter(([name]) => name === '<<').flatMap(([, value]) => [value, ...value.items]);
    for (const map of merged) {
      const found = map.#get(key, visited);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #child(node: unknown): YamlNode {
    return new YamlNode(node, this.#origin);
  }
}
