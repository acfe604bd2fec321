import type { IncomingMessage } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import type { Repository } from '../../repository/repository.ts';
import { RepositoryTable, type ServedRegistry } from '../../repository/repository-table.ts';
import { Routes } from './route.ts';

const HUB: ServedRegistry = {
  name: 'docker.io',
  aliases: [],
  hosts: [],
  addLibrary: true,
  isAllowed: (name) => !name.startsWith('secret/'),
  repository: (key) => ({ key }) as Repository,
};
const GHCR: ServedRegistry = { ...HUB, name: 'ghcr.io', hosts: ['ghcr.mirror.test'], addLibrary: false };
const DIGEST = `sha256:${'a'.repeat(64)}`;

const routesOf = (): Routes => new Routes(new RepositoryTable([HUB, GHCR], 'docker.io'));

function find(url: string, { method = 'GET', host = 'localhost:5000', routes = routesOf() } = {}) {
  return routes.findManifest({
    method,
    url,
    headers: { host },
    rawHeaders: ['Host', host],
  } as IncomingMessage);
}

describe('a manifest', () => {
  test.each([
    ['/v2/debian/manifests/12', {}, 'docker.io library/debian 12', undefined],
    ['/v2/debian/manifests/12', { method: 'HEAD' }, 'docker.io library/debian 12', undefined],
    [`/v2/debian/manifests/${DIGEST}`, {}, `docker.io library/debian ${DIGEST}`, undefined],
    ['/v2/a/b/manifests/1?ns=ghcr.io', {}, 'ghcr.io a/b 1', 'ghcr.io'],
    ['/v2/ghcr.io/a/b/manifests/1', {}, 'ghcr.io a/b 1', undefined],
    ['/ghcr.io/v2/a/b/manifests/1', {}, 'ghcr.io a/b 1', undefined],
    ['/v2/a/b/manifests/1', { host: 'ghcr.mirror.test' }, 'ghcr.io a/b 1', undefined],
    ['/v2/a/manifests/b/manifests/1', {}, 'docker.io a/manifests/b 1', undefined],
  ])('%s %o', (url, asked, expected, ns) => {
    const route = find(url, asked);
    const { registry, repository } = route?.repository.key ?? {};
    expect(`${registry} ${repository} ${route?.subject}`).toBe(expected);
    expect(route?.ns).toBe(ns);
  });

  test.each([
    ['/v2/debian/manifests/12', { method: 'PUT' }],
    ['/v2/debian/manifests/-', {}],
    ['/v2/Debian/manifests/12', {}],
    ['/v2/secret/app/manifests/12', {}],
    ['/v2/debian/manifests/12?ns=quay.io', {}],
    ['/v2/a%2Fb/manifests/12', {}],
    ['/v2/%/manifests/12', {}],
    ['/v3/debian/manifests/12', {}],
    ['/manifests/12', {}],
    [`/v2/a/manifests/blobs/${DIGEST}`, {}],
    ['/v2/a/manifests/tags/list', {}],
    ['/v2/', {}],
    ['', {}],
  ])('is not %s %o, or not one that can be answered', (url, asked) => {
    expect(find(url, asked)).toBeUndefined();
  });
});

describe('the same request', () => {
  test('is read once', () => {
    const table = new RepositoryTable([HUB, GHCR], 'docker.io');
    const select = vi.spyOn(table, 'select');
    const routes = new Routes(table);
    const first = find('/v2/a/b/manifests/1', { routes });
    expect(find('/v2/a/b/manifests/1', { routes, method: 'HEAD' })).toBe(first);
    expect(select).toHaveBeenCalledOnce();
  });

  test('to another host is read again', () => {
    const routes = routesOf();
    const hosts = ['localhost', 'ghcr.mirror.test', 'localhost'];
    const found = hosts.map((host) => find('/v2/a/b/manifests/1', { routes, host })?.repository.key.registry);
    expect(found).toEqual(['docker.io', 'ghcr.io', 'docker.io']);
  });

  test('is refused again if it is wrong', () => {
    const routes = routesOf();
    expect([1, 2].map(() => find('/v2/secret/a/manifests/1', { routes }))).toEqual([undefined, undefined]);
  });
});
