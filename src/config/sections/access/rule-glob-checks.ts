import { asciiLower } from '../../../text/ascii.ts';
import { quoted } from '../../../text/quoted.ts';
import { alternatives, shown, type ConfigProblem } from '../../config-problem.ts';
import { nearest } from '../../source/nearest.ts';
import { isPlainMap, listAt, type PlainMap } from '../../source/plain-value.ts';
import { parseRuleGlob, ruleGlobParts } from '../../values/access/rule-glob.ts';
import { ValueError, valueOrError } from '../../values/value-error.ts';
import { knownRegistry } from '../known-registries.ts';
import { upstreamsByName } from '../upstream-checks.ts';

/**
 * Reports globs of rules that match no repository of any upstream. Rules see each repository by its one name, so that a
 * glob with another name of a registry, or with Docker Hub's short names, would never match.
 */
export function checkRuleGlobs(file: unknown, rules: readonly PlainMap[]): readonly ConfigProblem[] {
  const upstreams = upstreamsByName(isPlainMap(file) ? file : {});
  return rules.flatMap((rule, position) => {
    return listAt(rule, 'repositories').flatMap((glob, index) => {
      const expected = isGlob(glob) ? expectation(glob, upstreams) : undefined;
      if (expected === undefined) return [];
      const path = ['access', 'rules', position, 'repositories', index];
      return [{ path, message: `expected ${expected}, got ${shown(glob)}` }];
    });
  });
}

/** The schema reports all others. */
function isGlob(glob: unknown): glob is string {
  return typeof glob === 'string' && !(valueOrError(() => parseRuleGlob(glob)) instanceof ValueError);
}

/** @param upstreams the names of the upstreams by all of their names */
function expectation(glob: string, upstreams: ReadonlyMap<string, string>): string | undefined {
  const { registry, repository } = ruleGlobParts(glob);
  if (registry === '*' || registry === '**') return undefined;
  const name = upstreams.get(asciiLower(registry));
  if (name === undefined) return knownName(glob, registry, [...new Set(upstreams.values())]);
  const right = `${name}/${repository === undefined ? '**' : withLibrary(name, repository)}`;
  if (right === glob) return undefined;
  if (repository === undefined) return `${quoted(right)} for all of the registry`;
  if (!isShort(name, repository)) return `${quoted(right)}, the registry's own name`;
  const all = repository === '*' ? ` (or ${quoted(`${name}/**`)} for all of the registry)` : '';
  return `${quoted(right)}${all}, since ${name} has no names of one part`;
}

function knownName(glob: string, registry: string, names: readonly string[]): string {
  const meant = nearest(registry, names);
  if (meant !== undefined)
    return `a registry of upstreams (did you mean ${quoted(`${meant}${glob.slice(registry.length)}`)}?)`;
  return `${alternatives([...names, '*', '**'])} before the first "/"`;
}

function withLibrary(registry: string, repository: string): string {
  return isShort(registry, repository) ? `library/${repository}` : repository;
}

/** Whether the glob matches names of one part only, and the registry has none. */
function isShort(registry: string, repository: string): boolean {
  return (
    knownRegistry(registry)?.addLibrary === true && !repository.includes('/') && !repository.includes('**')
  );
}
