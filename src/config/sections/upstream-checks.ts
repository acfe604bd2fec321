import type { z } from 'zod';
import { asciiLower } from '../../text/ascii.ts';
import { alternatives, shown, type KeyPath, type ConfigProblem } from '../config-problem.ts';
import { aliasedRegistry, knownRegistry, KNOWN_REGISTRY_NAMES } from './known-registries.ts';
import { isMisspelt, nearest } from '../source/nearest.ts';
import { isPlainMap, upstreamEntries, type PlainMap } from '../source/plain-value.ts';
import { keysAt } from '../source/schema-shape.ts';
import { parseRegistryHost } from '../values/addresses/host.ts';
import { ValueError, valueOrError } from '../values/value-error.ts';

/**
 * Checks that the upstreams of a file do not contradict each other, which a schema of single values cannot see. Takes
 * the file as written, so that these mistakes are reported together with the schema's. Says nothing about values that
 * the schema has refused.
 */
export function checkUpstreams(file: unknown, schema: z.core.$ZodType): readonly ConfigProblem[] {
  const entries = upstreamEntries(file);
  return [
    ...entries.flatMap(([name, entry]) => checkName(name, entry, schema)),
    ...checkUnique(entries, namesOf, 'name'),
    ...checkUnique(entries, hostsOf, 'host'),
    ...checkDefault(file, schema),
  ];
}

function checkName(name: string, entry: PlainMap, schema: z.core.$ZodType): readonly ConfigProblem[] {
  const path = ['upstreams', name];
  const mistake = nameMistake(name);
  if (mistake !== undefined) return [{ path, message: mistake }];
  const hasUrl = entry['url'] !== undefined || isMisspelt(entry, 'url', keysAt(schema, path));
  if (hasUrl || knownRegistry(name) !== undefined) return [];
  const meant = nearest(name, KNOWN_REGISTRY_NAMES);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return [{ path, message: `expected url, since this is not a registry that Larder knows${hint}` }];
}

function nameMistake(name: string): string | undefined {
  const alias = aliasedRegistry(asciiLower(name));
  if (alias !== undefined) return `expected ${alias}, of which this is another name`;
  const host = valueOrError(() => parseRegistryHost(name));
  if (host instanceof ValueError) return host.message;
  return host === name ? undefined : `expected a registry host in lower case: ${host}`;
}

/** A name of an upstream, and its place in the file. */
interface Named {
  readonly name: string;
  readonly path: KeyPath;
}

/** The default of `upstreams`. */
const DEFAULT_UPSTREAMS: PlainMap = { 'docker.io': {} };

type NamesOf = (name: string, entry: PlainMap) => readonly Named[];

const namesOf: NamesOf = (name, entry) => listed(name, entry, 'aliases');

const hostsOf: NamesOf = (name, entry) => listed(name, entry, 'hosts');

function listed(name: string, entry: PlainMap, key: string): readonly Named[] {
  const list = entry[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, position) =>
    typeof item === 'string' ? [{ name: asciiLower(item), path: ['upstreams', name, key, position] }] : [],
  );
}

/** Returns the names that an upstream has without listing them: its own, and the aliases of a known registry. */
function inherentNames(name: string): readonly string[] {
  return [name, ...(knownRegistry(name)?.aliases ?? [])];
}

function checkUnique(
  entries: ReturnType<typeof upstreamEntries>,
  select: NamesOf,
  word: 'name' | 'host',
): readonly ConfigProblem[] {
  const owners = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  // An upstream keeps its own name, even if an alias before it in the file claims that name.
  if (word === 'name') {
    for (const [upstream] of entries) for (const name of inherentNames(upstream)) owners.set(name, upstream);
  }
  for (const [upstream, entry] of entries) {
    for (const { name, path } of select(upstream, entry)) {
      const owner = owners.get(name) ?? upstream;
      owners.set(name, owner);
      if (owner === upstream) continue;
      problems.push({
        path,
        message: `expected a ${word} of one upstream only, ${shown(name)} belongs to ${owner}`,
      });
    }
  }
  return problems;
}

function checkDefault(file: unknown, schema: z.core.$ZodType): readonly ConfigProblem[] {
  const map = isPlainMap(file) ? file : {};
  const known = keysAt(schema, []);
  const isMisread = ['defaultUpstream', 'upstreams'].some((key) => isMisspelt(map, key, known));
  const upstreams = writtenUpstreams(map);
  if (isMisread || !isPlainMap(upstreams)) return [];
  const written = map['defaultUpstream'] ?? 'docker.io';
  if (typeof written !== 'string' || upstreamsByName(map).has(asciiLower(written))) return [];
  return [missingDefault(map, Object.keys(upstreams))];
}

function writtenUpstreams(file: PlainMap): unknown {
  return file['upstreams'] === undefined ? DEFAULT_UPSTREAMS : (file['upstreams'] ?? {});
}

/**
 * Returns the upstreams' own names by all of their names, including names whose spelling is reported as another mistake.
 */
export function upstreamsByName(file: PlainMap): ReadonlyMap<string, string> {
  const entries = upstreamEntries({ upstreams: writtenUpstreams(file) });
  const names = entries.flatMap(([name, entry]) => {
    const lower = asciiLower(name);
    const own = aliasedRegistry(lower) ?? lower;
    return [...inherentNames(own), ...namesOf(name, entry).map((alias) => alias.name)].map(
      (each) => [each, own] as const,
    );
  });
  return new Map(names);
}

function missingDefault(map: PlainMap, names: readonly string[]): ConfigProblem {
  if (map['defaultUpstream'] === undefined) {
    return { path: ['upstreams'], message: 'expected docker.io among them, or a defaultUpstream that is' };
  }
  const expected =
    names.length === 0 ? 'upstreams to choose from' : `one of the upstreams, ${alternatives(names)}`;
  return { path: ['defaultUpstream'], message: `expected ${expected}, got ${shown(map['defaultUpstream'])}` };
}
