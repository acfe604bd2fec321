import { parseGlob } from '../glob.ts';
import { textLeaf, unchanged, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

const EXPECTED = 'a glob of registry/repository such as docker.io/library/* or ghcr.io/acme/**, or **';

/**
 * Reads a glob of `registry/repository`. Its first segment, before the first "/", is a registry's name, `*` or `**`, so
 * that it is plain to which registries the glob reaches.
 * @returns the text itself
 * @throws ValueError
 */
export function parseRuleGlob(text: string): string {
  parseGlob(text);
  const { registry, repository } = ruleGlobParts(text);
  if (/[{}[\]()!?+]/.test(registry))
    throw new ValueError('a glob whose first part is one registry, * or **, without brackets');
  if (registry === '*' && repository === undefined) throw new ValueError('** for all repositories');
  if (repository === '') throw new ValueError(EXPECTED);
  if (/[A-Z]/.test(text)) throw new ValueError('a glob in lower case, as names of repositories are');
  if (isTagged(repository ?? '')) throw new ValueError('a glob of repositories, without a tag or digest');
  return text;
}

/** Splits a glob at its first "/". */
export function ruleGlobParts(glob: string): { registry: string; repository: string | undefined } {
  const slash = glob.indexOf('/');
  if (slash === -1) return { registry: glob, repository: undefined };
  return { registry: glob.slice(0, slash), repository: glob.slice(slash + 1) };
}

function isTagged(repository: string): boolean {
  // A class such as [[:digit:]] has colons, too.
  return /[@:]/.test(repository.replaceAll(/\[:\w+:\]/g, ''));
}

/** A glob of repositories with their registry. */
export function ruleGlob(): Leaf<string> {
  return textLeaf({
    title: '`registry/repository` glob',
    expected: EXPECTED,
    parse: parseRuleGlob,
    format: unchanged,
  });
}
