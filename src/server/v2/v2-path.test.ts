import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RegistryError } from '../../oci/error.ts';
import { isV2Path, parseV2Path } from './v2-path.ts';

const SHA256 = `sha256:${'a'.repeat(64)}`;
const SHA512 = `sha512:${'b'.repeat(128)}`;

describe('what a path asks for', () => {
  test.each<[string, object]>([
    ['/v2', { kind: 'ping', upstream: undefined }],
    ['/v2/', { kind: 'ping', upstream: undefined }],
    ['/ghcr.io/v2/', { kind: 'ping', upstream: 'ghcr.io' }],
    ['/v2/ghcr.io/', { kind: 'ping', upstream: 'ghcr.io' }],
    ['/v2/registry.internal%3A5000/', { kind: 'ping', upstream: 'registry.internal:5000' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/debian/tags/list', { kind: 'tags', segments: ['debian'], prefix: undefined }],
    [
      '/v2/ghcr.io/acme/app/manifests/1.0',
      { kind: 'manifest', segments: ['ghcr.io', 'acme', 'app'], reference: { kind: 'tag', tag: '1.0' } },
    ],
    ['/ghcr.io/v2/acme/app/tags/list', { kind: 'tags', segments: ['acme', 'app'], prefix: 'ghcr.io' }],
    ['/host%3A5000/v2/app/tags/list', { kind: 'tags', prefix: 'host:5000' }],
    [`/v2/a/blobs/${SHA512}`, { kind: 'blob', digest: SHA512 }],
    [`/v2/a/blobs/${SHA256.replace(':', '%3A')}`, { kind: 'blob', digest: SHA256 }],
    [`/v2/a/referrers/${SHA256}`, { kind: 'referrers', digest: SHA256 }],
    ['/v2/a/manifests/b/manifests/latest', { kind: 'manifest', segments: ['a', 'manifests', 'b'] }],
    ['/v2/tags/list/tags/list', { kind: 'tags', segments: ['tags', 'list'] }],
    ['/v2/v2/tags/list', { kind: 'tags', segments: ['v2'], prefix: undefined }],
    ['/v2/blobs/uploads/manifests/latest', { kind: 'manifest', segments: ['blobs', 'uploads'] }],
  ])('%s', (path, expected) => {
    expect(isV2Path(path)).toBe(true);
    expect(parseV2Path(path)).toMatchObject(expected);
  });
});

describe('what a path may not be', () => {
  test.each([
    ['/v2/../manifests/latest', 'NAME_INVALID'],
    ['/v2/a/%2e%2e/b/manifests/latest', 'NAME_INVALID'],
    ['/v2/a%2fb/manifests/latest', 'NAME_INVALID'],
    ['/v2/a%2Fb/manifests/latest', 'NAME_INVALID'],
    ['/v2/a%5cb/manifests/latest', 'NAME_INVALID'],
    ['/v2/a%00b/manifests/latest', 'NAME_INVALID'],
    ['/v2/a%zz/manifests/latest', 'NAME_INVALID'],
    ['/v2/a//b/manifests/latest', 'NAME_INVALID'],
    ['/v2//manifests/latest', 'NAME_INVALID'],
    ['/v2//', 'NAME_INVALID'],
    ['/v2/%2e%2e/', 'NAME_INVALID'],
    ['/v2/ghcr.io/acme/', 'NAME_INVALID'],
    ['/ghcr.io/v2/acme/', 'NAME_INVALID'],
    ['/v2/a/manifests/latest/', 'NAME_INVALID'],
    [`/v2/a/blobs/${SHA256.toUpperCase()}`, 'DIGEST_INVALID'],
    [`/v2/a/blobs/sha256:${'A'.repeat(64)}`, 'DIGEST_INVALID'],
    ['/v2/a/blobs/latest', 'DIGEST_INVALID'],
    ['/v2/a/blobs/sha256:baddigeststring', 'DIGEST_INVALID'],
    ['/v2/a/manifests/.hidden', 'TAG_INVALID'],
    ['/v2/manifests/latest', 'NAME_UNKNOWN'],
    ['/v2/a/tags/other', 'NAME_UNKNOWN'],
    ['/v2/a', 'NAME_UNKNOWN'],
    ['/v2/a/blobs/uploads/some-id', 'NAME_UNKNOWN'],
    [`/v2/${'a'.repeat(3000)}/tags/list`, 'NAME_INVALID'],
  ])('%s: %s', (path, code) => {
    expect(() => parseV2Path(path)).toThrow(expect.objectContaining({ code }));
  });

  test('whatever the path, only the typed error is thrown', () => {
    const path = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('manifests', 'tags', 'list', 'v2', '..', '%2f')),
    );
    fc.assert(
      fc.property(path, (segments) => {
        const thrown = errorOf(() => parseV2Path(`/v2/${segments.join('/')}`));
        expect(thrown === undefined || thrown instanceof RegistryError).toBe(true);
      }),
    );
  });
});

test.each(['/', '/livez', '/v1/_ping', '/v20/', '/a/b/v2/c', '/v2x'])('%s is not the registry', (path) => {
  expect(isV2Path(path)).toBe(false);
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
