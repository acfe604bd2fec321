import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { RegistryError } from './error.ts';
import {
  formatImageReference,
  parseImageReference,
  referenceOf,
  type ImageReference,
} from './image-reference.ts';

const DIGEST = digestOf('a');

/** Returns nothing for a refused text. @throws any error other than the refusal */
function readOrRefuse(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

describe('an image reference', () => {
  it.each([
    ['debian', 'docker.io/library/debian'],
    ['debian:12', 'docker.io/library/debian:12'],
    ['acme/app', 'docker.io/acme/app'],
    ['docker.io/debian', 'docker.io/library/debian'],
    ['Index.Docker.io/debian:12', 'docker.io/library/debian:12'],
    ['registry-1.docker.io/acme/app', 'docker.io/acme/app'],
    ['ghcr.io/acme/app:1', 'ghcr.io/acme/app:1'],
    ['ghcr.io/app', 'ghcr.io/app'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app:1', 'localhost:5000/app:1'],
    ['registry:5000/acme/app', 'registry:5000/acme/app'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    ['registry:5000', 'docker.io/library/registry:5000'],
    [`debian@${DIGEST}`, `docker.io/library/debian@${DIGEST}`],
    [`ghcr.io/acme/app:1@${DIGEST}`, `ghcr.io/acme/app:1@${DIGEST}`],
  ])('%s means %s', (text, full) => {
    expect(formatImageReference(parseImageReference(text))).toBe(full);
  });

  it.each([
    ['', 'NAME_INVALID'],
    ['Debian', 'NAME_INVALID'],
    ['ghcr.io/', 'NAME_INVALID'],
    ['https://ghcr.io/acme/app', 'NAME_INVALID'],
    ['a'.repeat(64), 'NAME_INVALID'],
    ['debian:', 'TAG_INVALID'],
    ['debian:1 2', 'TAG_INVALID'],
    ['debian@', 'DIGEST_INVALID'],
    ['debian@sha256:1', 'DIGEST_INVALID'],
  ])('%j is answered by %s', (text, code) => {
    expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ code }));
  });

  it('is read from its full form as the same one, and throws nothing but RegistryError', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a-z.]{0,8}(?::5000)?[/a-z0-9]{0,9}(?::[\w.]{1,5})?$/),
    );
    fc.assert(
      fc.property(text, (typed) => {
        const read = readOrRefuse(typed);
        expect(read && parseImageReference(formatImageReference(read))).toEqual(read);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what a client asks for', () => {
  it.each([
    ['debian', { kind: 'tag', tag: 'latest' }],
    ['debian:12', { kind: 'tag', tag: '12' }],
    [`debian:12@${DIGEST}`, { kind: 'digest', digest: DIGEST }],
  ])('of %s', (text, reference) => {
    expect(referenceOf(parseImageReference(text))).toEqual(reference);
  });
});
