import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Values and their grammar, which every layer above may use. */
const VALUES = ['text', 'oci', 'http'];

/** The same, and the waiting and the telling by ports. */
const PORTS = [...VALUES, 'async', 'clock.ts', 'events.ts', 'tolerate.ts'];

/** The error classes that become answers, the reader that delivery takes, and what reads a small one whole. */
const ANSWERED = ['upstream/error.ts', 'store/error.ts', 'store/blob-store.ts', 'store/read-whole.ts'];

const SERVER = ['api', 'operator', 'repository', 'content', 'access', 'delivery', ...PORTS, ...ANSWERED];

/** The layers whose work operators ask for. */
const BELOW_OPERATOR = ['archive', 'upkeep', 'mirror', 'repository', 'content', 'store', 'index'];

/**
 * What the sources of a layer may import of src/ besides their own layer: other layers, or single files of
 * them (CONTRIBUTING.md, "The layers"). A layer is a folder of src/, or a file directly in it. The lowest come first.
 */
const LAYERS = new Map<string, readonly string[] | 'everything'>([
  ['text', []],
  ['oci', ['text']],
  ['http', ['text', 'oci']],
  ['versions', ['text']],
  ['clock.ts', []],
  ['async', ['clock.ts']],
  ['threads.ts', []],
  ['events.ts', ['oci']],
  ['tolerate.ts', ['events.ts']],
  ['config', ['versions', ...VALUES]],
  ['store', [...VALUES, 'clock.ts', 'events.ts']],
  ['index', [...PORTS]],
  ['upstream', [...PORTS]],
  ['references', ['oci', 'text']],
  ['asking', ['references', 'versions', 'upstream', 'config/sections/known-registries.ts', ...PORTS]],
  ['content', ['store', 'index', ...PORTS]],
  ['repository', ['content', 'store', 'index', ...VALUES]],
  ['mirror', ['repository', 'content', 'upstream', 'store', 'index', ...PORTS]],
  ['eviction', ['store', 'index', ...VALUES, 'clock.ts', 'events.ts']],
  ['upkeep', ['mirror', 'repository', 'content', 'store', 'index', 'upstream/error.ts', ...PORTS]],
  ['archive', ['content', 'repository', 'store', 'index', ...PORTS]],
  ['operator', [...BELOW_OPERATOR, 'versions', 'upstream/error.ts', ...PORTS]],
  ['access', [...PORTS]],
  ['delivery', ['store', ...VALUES]],
  ['observe', [...VALUES, 'clock.ts', 'events.ts']],
  ['api', ['operator', 'archive', 'index', 'access', ...PORTS]],
  ['server', SERVER],
  ['web', SERVER],
  ['app', 'everything'],
  ['cli', 'everything'],
]);

/**
 * What a folder inside a layer may import of the other folders of that layer; files beside them are free to all. Those
 * that are not named may import all of them.
 */
const ROOMS = new Map<string, readonly string[]>([
  ['config/values', []],
  ['config/source', ['values']],
  ['config/sections', ['values', 'source']],
  ['index/sql', []],
  ['index/sqlite', ['sql']],
  ['upstream/credentials', []],
  ['upstream/connections', ['credentials']],
  ['upstream/reader', ['connections']],
  ['upstream/transport', ['credentials', 'connections', 'reader']],
  ['upstream/auth', ['credentials', 'connections', 'transport']],
  ['upstream/registry', ['auth', 'transport']],
  ['upstream/protect', ['transport']],
  ['mirror/transfer', []],
  ['mirror/permission', []],
  ['mirror/fill', ['transfer', 'permission']],
  ['mirror/blobs', ['fill', 'transfer', 'permission']],
  ['mirror/manifests', ['permission']],
  ['mirror/tags', ['manifests', 'permission']],
  ['mirror/lists', ['manifests']],
  ['access/files', []],
  ['access/rules', []],
  ['access/verification', []],
  ['access/users', ['files', 'verification']],
  ['access/tokens', ['files', 'verification']],
  ['access/bearer', ['verification']],
  ['access/oidc', ['verification']],
  ['archive/layout', []],
  ['archive/reading', ['layout']],
  ['archive/save', ['layout', 'reading']],
  ['archive/import', ['layout', 'reading']],
  ['archive/upload', ['reading', 'write']],
  ['archive/write', ['layout']],
  ['references/dockerfile', []],
  ['references/yaml', []],
  ['server/request', []],
  ['server/v2', ['request']],
  ['server/api', ['request']],
  ['server/tls', []],
  ['api/contract', []],
  ['api/events', ['contract']],
  ['api/client', ['contract', 'events']],
  ['server/token', ['request', 'v2']],
  ['cli/terminal', []],
  ['cli/files', []],
  ['cli/completion', []],
  ['cli/commands', ['completion', 'terminal', 'files']],
]);

/** The layers, or folders or single files of them, that may import a package: each is known in one place, behind a port. */
const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['undici', ['upstream', 'app/access/fetch-document.ts']],
  ['hono', ['server', 'web']],
  ['@hono/node-server', ['server', 'web']],
  // The one lock in Node that a crash releases is SQLite's.
  ['node:sqlite', ['index/sqlite', 'store/fs/lock.ts']],
  ['pino', ['observe', 'cli']],
  ['pino-pretty', ['observe']],
  ['prom-client', ['observe']],
  ['commander', ['cli']],
  ['zod', ['config', 'asking', 'api']],
  ['yaml', ['config', 'references/yaml']],
  ['parse-duration', ['config']],
  ['lru-cache', ['content', 'index', 'mirror', 'upstream', 'access']],
  ['bcryptjs', ['access']],
  ['jose', ['access']],
  ['koffi', ['delivery/koffi-sendfile.ts']],
  ['p-limit', ['asking', 'delivery', 'store', 'index', 'operator']],
  ['picomatch', ['config', 'server', 'mirror', 'access']],
  ['tldts', ['upstream', 'server', 'config']],
  ['ipaddr.js', ['upstream', 'server', 'config']],
  ['modern-tar', ['archive']],
]);

/** Layers that do no I/O, and what they may take of Node all the same. */
const PURE_LAYERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['text', []],
  ['oci', ['node:crypto']],
  ['http', []],
  ['clock.ts', []],
  ['threads.ts', []],
  ['events.ts', []],
  ['references', []],
  ['versions', []],
]);

/** Time, chance, network and environment, which reach a pure layer only as arguments. */
const AMBIENT =
  /\b(?:Date\.now\(|new Date\(\)|performance\.|setTimeout\(|setInterval\(|Math\.random\(|process\.|fetch\()/;

interface Source {
  /** Relative to src/. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly line: number;
  readonly specifier: string;
}

const IMPORTS = [
  /^(?:import|export)\s[^'"]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\b(?:import|require)\(\s*'([^']+)'/g,
];

function importsOf(text: string): Import[] {
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)]).map((match) => ({
    specifier: match[1] ?? '',
    line: text.slice(0, match.index + match[0].length).split('\n').length,
  }));
}

function layerOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

function isTest(path: string): boolean {
  return /\.(?:test|contract)\.ts$/.test(path);
}

/** Each as `src/<file>:<line> <what is wrong>: <what to do>`. */
function violations(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !isTest(path))
    .flatMap((source) =>
      LAYERS.has(layerOf(source.path))
        ? [...importViolations(source), ...ambientViolations(source)]
        : [
            `src/${source.path}:1 is in no layer: name ${layerOf(source.path)} in LAYERS of this test and in CONTRIBUTING.md`,
          ],
    );
}

function importViolations({ path, text }: Source): string[] {
  return importsOf(text).flatMap(({ line, specifier }) => {
    const problem = specifier.startsWith('.')
      ? sourceProblem(path, posix.join(posix.dirname(path), specifier))
      : packageProblem(path, specifier);
    return problem === undefined ? [] : [`src/${path}:${line} imports ${specifier}: ${problem}`];
  });
}

function sourceProblem(path: string, target: string): string | undefined {
  const layer = layerOf(path);
  if (target.startsWith('../')) return 'it is outside src/; move it in';
  if (isTest(target)) return 'it is a test; move what both need into a source';
  if (layerOf(target) === layer) return roomProblem(path, target);
  const allowed = LAYERS.get(layer) ?? [];
  if (allowed === 'everything' && isBelow(layerOf(target), layer)) return undefined;
  if (allowed.includes(layerOf(target)) || allowed.includes(target)) return undefined;
  const those = allowed === 'everything' ? 'everything below it' : list(allowed);
  return `${layer} may import ${those} of src/; move what it needs down, or take it as an argument`;
}

function isBelow(layer: string, other: string): boolean {
  const order = [...LAYERS.keys()];
  return order.indexOf(layer) < order.indexOf(other);
}

function roomProblem(path: string, target: string): string | undefined {
  const [layer = '', room = ''] = path.split('/');
  const [, other = ''] = target.split('/');
  const allowed = ROOMS.get(`${layer}/${room}`);
  if (allowed === undefined || other === room || other.endsWith('.ts') || allowed.includes(other))
    return undefined;
  return `${layer}/${room} may import ${list(allowed)} of ${layer}/; move what it needs down, or take it as an argument`;
}

function packageProblem(path: string, specifier: string): string | undefined {
  const name = packageOf(specifier);
  const allowed = PACKAGES.get(name);
  if (allowed !== undefined) {
    return allowed.some((place) => `${path}/`.startsWith(`${place}/`))
      ? undefined
      : `only ${list(allowed)} may; go through their ports`;
  }
  if (!isBuiltin(name))
    return 'no layer may; give it a row in PACKAGES of this test, and its reason in CONTRIBUTING.md';
  const layer = layerOf(path);
  const pure = PURE_LAYERS.get(layer);
  if (pure === undefined || pure.includes(name)) return undefined;
  return `${layer} is pure and may import ${list(pure)} of Node; take the value as an argument`;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function ambientViolations({ path, text }: Source): string[] {
  if (!PURE_LAYERS.has(layerOf(path)) || path === 'clock.ts') return [];
  return text.split('\n').flatMap((line, i) => {
    const [used] = AMBIENT.exec(line) ?? [];
    return used === undefined
      ? []
      : [`src/${path}:${i + 1} uses ${used}: ${layerOf(path)} is pure; take it as an argument`];
  });
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}

const SRC = posix.join(import.meta.dirname, '../src');

const SOURCES = globSync('**/*.ts', { cwd: SRC }).map((path) => ({
  path,
  text: readFileSync(posix.join(SRC, path), 'utf8'),
}));

describe('the sources', () => {
  it('are where this test looks', () => {
    expect(SOURCES.map(({ path }) => path)).toEqual(expect.arrayContaining(['oci/digest.ts', 'cli/main.ts']));
  });

  it('import downwards only, and each package only where it belongs', () => {
    expect(violations(SOURCES)).toEqual([]);
  });
});

describe('what is written of the sources', () => {
  const root = posix.join(import.meta.dirname, '..');

  it.each(['CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })])(
    '%s names files that are there',
    (page) => {
      const named = [
        ...readFileSync(posix.join(root, page), 'utf8').matchAll(
          /`(?:src\/)?([a-z0-9/-]+\/[a-z0-9./-]+\.ts)`/g,
        ),
      ].map((match) => match[1] ?? '');
      const known = named.filter((path) => LAYERS.has(layerOf(path)));
      expect(known.filter((path) => !SOURCES.some((source) => source.path === path))).toEqual([]);
    },
  );
});

describe('the table of layers', () => {
  it('points downwards only', () => {
    const order = [...LAYERS.keys()];
    for (const [layer, allowed] of LAYERS) {
      const targets = allowed === 'everything' ? [] : allowed.map(layerOf);
      const above = targets.filter((target) => order.indexOf(target) >= order.indexOf(layer));
      expect([layer, above]).toEqual([layer, []]);
      expect(order).toEqual(expect.arrayContaining(targets));
    }
  });

  it('knows every layer that may import a package', () => {
    expect([...LAYERS.keys()]).toEqual(expect.arrayContaining([...PACKAGES.values()].flat().map(layerOf)));
  });
});

describe('a violation', () => {
  const check = (path: string, text: string) => violations([{ path, text }]);

  it.each([
    [
      'an import upwards',
      'http/a.ts',
      "import { a } from '../store/a.ts';",
      'src/http/a.ts:1 imports ../store/a.ts',
    ],
    ['one of a type only', 'oci/a.ts', "import type { A } from '../http/a.ts';", 'oci may import text'],
    ['one over several lines', 'oci/a.ts', "\nimport {\n  a,\n} from '../http/a.ts';", 'src/oci/a.ts:4'],
    ['a re-export', 'oci/a.ts', "export * from '../http/a.ts';", 'src/oci/a.ts:1'],
    ['one for its effect', 'oci/a.ts', "import '../http/a.ts';", 'src/oci/a.ts:1'],
    ['one at run time', 'oci/a.ts', "const a = await import('../http/a.ts');", 'src/oci/a.ts:1'],
    [
      'one from a folder below',
      'store/fs/a.ts',
      "import '../../mirror/a.ts';",
      'store may import text, oci, http',
    ],
    ['one across', 'store/a.ts', "import '../index/a.ts';", 'store may import text, oci, http'],
    [
      'a file of a layer that may not',
      'server/a.ts',
      "import '../upstream/upstream.ts';",
      'server may import',
    ],
    [
      'one of a folder beside it that may not',
      'upstream/transport/a.ts',
      "import '../registry/tag-lister.ts';",
      'upstream/transport may import credentials, connections, reader of upstream/',
    ],
    ['one of the command line', 'app/a.ts', "import '../cli/main.ts';", 'app may import everything below it'],
    ['a test', 'store/a.ts', "import './a.contract.ts';", 'it is a test'],
    ['a file outside', 'cli/a.ts', "import '../../test/support/a.ts';", 'outside src/'],
    [
      'a package elsewhere',
      'mirror/a.ts',
      "import { request } from 'undici';",
      'only upstream, app/access/fetch-document.ts may',
    ],
    [
      'a part of a package',
      'mirror/a.ts',
      "import { a } from '@hono/node-server/b';",
      'only server, web may',
    ],
    ['an unknown package', 'cli/a.ts', "import a from 'left-pad';", 'give it a row in PACKAGES'],
    ['SQL elsewhere', 'store/a.ts', "import { DatabaseSync } from 'node:sqlite';", 'only index/sqlite, '],
    ['an engine where statements are', 'index/sql/a.ts', "import 'node:sqlite';", 'only index/sqlite, '],
    [
      'one of an engine where statements are',
      'index/sql/a.ts',
      "import '../sqlite/connection.ts';",
      'index/sql may import nothing of index/',
    ],
    ['I/O in a pure layer', 'http/a.ts', "import fs from 'node:fs';", 'http is pure'],
    ['the clock in a pure layer', 'oci/a.ts', '\nconst now = Date.now();', 'src/oci/a.ts:2 uses Date.now('],
    ['a new folder', 'helpers/a.ts', '', 'src/helpers/a.ts:1 is in no layer'],
    ['a new file beside the folders', 'helpers.ts', '', 'src/helpers.ts:1 is in no layer'],
  ])('is %s', (_, path, text, message) => {
    expect(check(path, text)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['an import of its own layer', 'store/fs/a.ts', "import '../blob-store.ts';"],
    ['one of a folder beside it that may', 'upstream/auth/a.ts', "import '../transport/response.ts';"],
    ['one of a file above it in its layer', 'upstream/transport/a.ts', "import '../error.ts';"],
    ['an import downwards', 'mirror/a.ts', "import '../upstream/upstream.ts';"],
    ['a single file that the table names', 'server/a.ts', "import '../upstream/error.ts';"],
    ['anything in the composition root', 'cli/a.ts', "import '../index/sqlite/a.ts';"],
    ['a package at its place', 'server/a.ts', "import { Hono } from 'hono';\nimport 'hono/html';"],
    ['hashing in oci', 'oci/a.ts', "import { createHash } from 'node:crypto';"],
    [
      'a package in a folder of the one that the table names',
      'index/sqlite/ports/a.ts',
      "import 'node:sqlite';",
    ],
    ['a package in the single file that the table names', 'store/fs/lock.ts', "import 'node:sqlite';"],
    ['I/O where it belongs', 'store/a.ts', "import fs from 'node:fs/promises';"],
    ['what a test imports', 'oci/a.test.ts', "import '../cli/main.ts';\nimport 'vitest';"],
    ['what a contract imports', 'store/a.contract.ts', "import '../../test/support/a.ts';\nimport 'vitest';"],
    ['the word from', 'oci/a.ts', "export function f(from: string): string {\n  return `${from} 'a'`;\n}"],
  ])('is not %s', (_, path, text) => {
    expect(check(path, text)).toEqual([]);
  });
});
