import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { OperatorError } from './error.ts';
import {
  formatRepositoryKey,
  formatSelector,
  parseKey,
  parseSelectors,
  type NamingOptions,
  type Selector,
} from './selector.ts';

const DIGEST = digestOf('a');

const HUB: NamingOptions = {
  upstreams: [
    { name: 'docker.io', aliases: ['index.docker.io'], addLibrary: true },
    { name: 'ghcr.io', aliases: [], addLibrary: false },
    { name: 'localhost:5001', aliases: [], addLibrary: false },
  ],
  defaultUpstream: 'docker.io',
};

const OWN: NamingOptions = {
  upstreams: [{ name: 'registry.test', aliases: [], addLibrary: false }],
  defaultUpstream: 'registry.test',
};

const read = (text: string, options = HUB): string[] => parseSelectors(text, options).map(formatSelector);

/** Returns no selectors for a refused reference. @throws any error other than the refusal */
function readOrRefuse(text: string): readonly Selector[] {
  try {
    return parseSelectors(text, HUB);
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'invalid') return [];
    throw error;
  }
}

describe('a reference', () => {
  it.each([
    ['debian', 'docker.io/library/debian'],
    ['debian:12', 'docker.io/library/debian:12'],
    ['acme/app', 'docker.io/acme/app'],
    ['docker.io/debian', 'docker.io/library/debian'],
    ['Index.Docker.io/library/debian:12', 'docker.io/library/debian:12'],
    ['ghcr.io/acme/app:1', 'ghcr.io/acme/app:1'],
    ['ghcr.io/app', 'ghcr.io/app'],
    ['localhost:5001/app', 'localhost:5001/app'],
    ['localhost:5001/app:1', 'localhost:5001/app:1'],
    [`debian@${DIGEST}`, `docker.io/library/debian@${DIGEST}`],
    [`ghcr.io/acme/app:1@${DIGEST}`, `ghcr.io/acme/app@${DIGEST}`],
    [DIGEST, DIGEST],
    [digestOf('a', 'sha512'), digestOf('a', 'sha512')],
    ['quay.io/acme/app:1', 'quay.io/acme/app:1'],
    ['registry.gone:5000/acme/app', 'registry.gone:5000/acme/app'],
    ['localhost/app', 'localhost/app'],
  ])('%s means %s', (text, expected) => {
    expect(read(text)).toEqual([expected]);
  });

  it.each([
    ['debian', ['registry.test/debian']],
    ['acme/app:1', ['registry.test/acme/app:1']],
    ['quay.io/app', ['registry.test/quay.io/app', 'quay.io/app']],
    ['gone:5000/app', ['gone:5000/app']],
    ['registry.test/registry.test/app', ['registry.test/registry.test/app']],
  ])('%s may mean %j if the default upstream is not Docker Hub', (text, expected) => {
    expect(read(text, OWN)).toEqual(expected);
  });

  it.each([
    '',
    'Debian',
    'debian:',
    'debian:1 2',
    'debian@sha256:abc',
    'sha256:abc',
    `sha256:${'A'.repeat(64)}`,
    'debian@latest',
    'ghcr.io/',
    '/debian',
    'a//b',
    '../etc',
    `x/${'a'.repeat(300)}`,
  ])('is not %j', (text) => {
    expect(() => parseSelectors(text, HUB)).toThrow(OperatorError);
    expect(() => parseSelectors(text, HUB)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('is read or refused, whatever it is, and its formatted selector is read as the same', () => {
    const part = fc.constantFrom('debian', 'ghcr.io', 'a.b', ':', '/', '@', DIGEST, 'latest', '5000', ' ');
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 7 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (text) => {
        const [first] = readOrRefuse(text);
        const again = first === undefined ? undefined : readOrRefuse(formatSelector(first))[0];
        expect(again).toEqual(first);
      }),
    );
  });
});

it('parseKey reads what formatRepositoryKey writes', () => {
  for (const path of ['docker.io/library/debian', 'localhost:5001/app', 'a/b/c/d']) {
    expect(formatRepositoryKey(parseKey(path))).toBe(path);
  }
});
