import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import { digestOf } from './digest.ts';
import { formatReference, parseReference } from './reference.ts';
import { isTag, parseTag } from './tag.ts';

const anyText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 300 });

describe('parseTag', () => {
  it.each(['latest', 'v1.2.3', '_', 'A', '1.0_b-2', 'a'.repeat(128), 'sha256-abc.sig'])(
    'takes %s',
    (text) => {
      expect(parseTag(text)).toBe(text);
    },
  );

  it.each([
    ['nothing', ''],
    ['a dot first', '.a'],
    ['a dash first', '-a'],
    ['129 characters', 'a'.repeat(129)],
    ['a slash', 'a/b'],
    ['a colon', 'a:b'],
    ['a plus sign', '1.0+b'],
    ['a line break behind it', 'latest\n'],
    ['100 kB', 'a'.repeat(100_000)],
  ])('refuses %s', (_, text) => {
    expect(isTag(text)).toBe(false);
    expect(codeOf(() => parseTag(text))).toBe('TAG_INVALID');
  });
});

describe('parseReference', () => {
  const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/);
  const digest = fc.uint8Array().map((bytes) => digestOf(bytes));

  it('is undone by formatReference', () => {
    fc.assert(
      fc.property(fc.oneof(tag, digest), (text) => {
        expect(formatReference(parseReference(text))).toBe(text);
      }),
    );
  });

  it('reads a text with a colon as a digest', () => {
    expect(parseReference(digestOf('')).kind).toBe('digest');
    expect(parseReference('latest').kind).toBe('tag');
    expect(codeOf(() => parseReference('debian:latest'))).toBe('DIGEST_INVALID');
  });

  it('throws only RegistryError', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const code = text.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID';
        expect(codeOf(() => parseReference(text))).toBe(isTag(text) ? undefined : code);
      }),
    );
  });
});
