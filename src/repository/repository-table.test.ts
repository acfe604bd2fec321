import { describe, expect, test } from 'vitest';
import { parseRepositoryName } from '../oci/repository-name.ts';
import type { Repository } from './repository.ts';
import { RepositoryTable, type ServedRegistry } from './repository-table.ts';

function registry(name: string, overrides: Partial<ServedRegistry> = {}): ServedRegistry {
  return {
    name,
    aliases: [],
    hosts: [],
    addLibrary: false,
    isAllowed: () => true,
    repository: (key) => ({ key }) as Repository,
    ...overrides,
  };
}

const HUB = registry('docker.io', {
  aliases: ['index.docker.io', 'registry-1.docker.io'],
  addLibrary: true,
});
const GHCR = registry('ghcr.io', { isAllowed: (name) => !name.startsWith('secret/') });
const INTERNAL = registry('registry.example.internal:5443', { hosts: ['internal.mirror.example'] });
const TABLE = new RepositoryTable([HUB, GHCR, INTERNAL], 'docker.io');

interface Asked {
  readonly path: string;
  readonly ns?: string;
  readonly host?: string;
  readonly prefix?: string;
}

function select({ path, ns, host, prefix }: Asked, table = TABLE): string {
  const { key } = table.select({ segments: path.split('/'), ns, host, prefix });
  return `${key.registry} ${key.repository}`;
}

describe('which repository of which upstream', () => {
  test.each<[string, Asked, string]>([
    ['the default', { path: 'acme/app' }, 'docker.io acme/app'],
    ['library/ is added on Docker Hub', { path: 'debian' }, 'docker.io library/debian'],
    ['and not added twice', { path: 'library/debian' }, 'docker.io library/debian'],
    ['ns', { path: 'acme/app', ns: 'ghcr.io' }, 'ghcr.io acme/app'],
    [
      'regclient says the host for Docker Hub',
      { path: 'debian', ns: 'registry-1.docker.io' },
      'docker.io library/debian',
    ],
    ['library/ only on Docker Hub', { path: 'app', ns: 'ghcr.io' }, 'ghcr.io app'],
    [
      'ns with a port',
      { path: 'app', ns: 'registry.example.internal:5443' },
      'registry.example.internal:5443 app',
    ],
    ['ns beats Host', { path: 'app', ns: 'ghcr.io', host: 'internal.mirror.example' }, 'ghcr.io app'],
    ['ns beside its own prefix', { path: 'ghcr.io/acme/app', ns: 'ghcr.io' }, 'ghcr.io acme/app'],
    ['ns in capitals', { path: 'app', ns: 'GHCR.io' }, 'ghcr.io app'],
    ['Host', { path: 'app', host: 'internal.mirror.example' }, 'registry.example.internal:5443 app'],
    [
      'Host with a port',
      { path: 'app', host: 'internal.mirror.example:80' },
      'registry.example.internal:5443 app',
    ],
    ['a Host that is not configured', { path: 'debian', host: 'localhost:5000' }, 'docker.io library/debian'],
    ['prefix behind /v2/', { path: 'ghcr.io/acme/app' }, 'ghcr.io acme/app'],
    ['prefix in front of /v2/', { path: 'acme/app', prefix: 'ghcr.io' }, 'ghcr.io acme/app'],
    ['an alias as prefix', { path: 'index.docker.io/debian' }, 'docker.io library/debian'],
    [
      'a prefix with a port',
      { path: 'registry.example.internal:5443/app' },
      'registry.example.internal:5443 app',
    ],
  ])('%s', (_, asked, expected) => {
    expect(select(asked)).toBe(expected);
  });
});

/** One repository, addressed in each way that can name an upstream; each way names a different one. */
const EVERY_WAY = [
  ['ns', { ns: 'by-ns.example' }, 'by-ns.example by-name.example/app'],
  ['a prefix before /v2/', { prefix: 'by-prefix.example' }, 'by-prefix.example by-name.example/app'],
  ['Host', { host: 'host.example' }, 'by-host.example by-name.example/app'],
  ['a prefix of the name', { path: 'by-name.example/app' }, 'by-name.example app'],
  ['the default', { path: 'app' }, 'default.example app'],
] as const;

describe('the first of several ways to name an upstream counts', () => {
  const table = new RepositoryTable(
    [
      registry('by-ns.example'),
      registry('by-prefix.example'),
      registry('by-host.example', { hosts: ['host.example'] }),
      registry('by-name.example'),
      registry('default.example'),
    ],
    'default.example',
  );

  test.each(EVERY_WAY.map(([way, , expected], i) => ({ way, expected, ways: EVERY_WAY.slice(i) })))(
    '$way, even if the ways after it name others',
    ({ ways, expected }) => {
      const asked = ways.toReversed().map(([, asked]) => asked);
      expect(select(Object.assign({ path: '' }, ...asked) as Asked, table)).toBe(expected);
    },
  );
});

describe('a request is refused before any upstream is asked', () => {
  test.each<[string, Asked, string]>([
    ['an unknown ns', { path: 'a', ns: 'evil.example' }, 'NAME_UNKNOWN'],
    ['an address as ns', { path: 'a', ns: '169.254.169.254' }, 'NAME_UNKNOWN'],
    ['an empty ns', { path: 'a', ns: '' }, 'NAME_UNKNOWN'],
    ['an unknown prefix in front of /v2/', { path: 'a', prefix: 'evil.example' }, 'NAME_UNKNOWN'],
    ['an unknown registry behind /v2/', { path: 'evil.example/a' }, 'NAME_UNKNOWN'],
    ['a repository that the config denies', { path: 'secret/app', ns: 'ghcr.io' }, 'DENIED'],
    ['upper case', { path: 'Acme/App' }, 'NAME_INVALID'],
    ['300 characters', { path: 'a'.repeat(300) }, 'NAME_INVALID'],
  ])('%s', (_, asked, code) => {
    expect(() => select(asked)).toThrow(expect.objectContaining({ code }));
  });
});

test.each([
  ['docker.io/library/debian', true],
  ['ghcr.io/acme/app', true],
  ['ghcr.io/secret/app', false],
  ['index.docker.io/library/debian', false],
  ['former.example/acme/app', false],
  ['ghcr.io/', false],
  ['ghcr.io', false],
  ['', false],
])('%s is served: %s', (path, isServed) => {
  const { registry, repository } = TABLE.servedKey(path) ?? {};
  expect(`${registry}/${repository}` === path).toBe(isServed);
});

test.each([
  ['docker.io', 'library/debian', true],
  ['ghcr.io', 'acme/app', true],
  ['ghcr.io', 'secret/app', false],
  ['index.docker.io', 'library/debian', false],
  ['former.example', 'acme/app', false],
])('%s %s is found by its key: %s', (name, repository, isFound) => {
  const key = { registry: name, repository: parseRepositoryName(repository) };
  expect(TABLE.find(key)?.key).toEqual(isFound ? key : undefined);
});

describe('the registry that a request names apart from its repository', () => {
  test.each([
    [{ prefix: 'ghcr.io', host: undefined }, 'ghcr.io'],
    [{ prefix: 'Index.docker.io', host: 'internal.mirror.example' }, 'docker.io'],
    [{ prefix: undefined, host: 'Internal.mirror.example:5000' }, 'registry.example.internal:5443'],
    [{ prefix: undefined, host: 'localhost:5000' }, undefined],
    [{ prefix: undefined, host: undefined }, undefined],
  ])('%o: %s', (asked, name) => expect(TABLE.registryOf(asked)).toBe(name));

  test('is none of its upstreams', () => {
    const asked = { prefix: 'evil.example', host: undefined };
    expect(() => TABLE.registryOf(asked)).toThrow(expect.objectContaining({ code: 'NAME_UNKNOWN' }));
  });
});
