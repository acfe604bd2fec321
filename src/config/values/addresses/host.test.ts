import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHost, parseRegistryHost } from './host.ts';
import { ValueError, valueOrError } from '../value-error.ts';

describe('parseHost', () => {
  it.each([
    ['mirror', 'mirror'],
    ['mirror.example', 'mirror.example'],
    ['Mirror.Example:5000', 'mirror.example:5000'],
    ['192.0.2.1:5000', '192.0.2.1:5000'],
    ['[2001:DB8::1]:5000', '[2001:db8::1]:5000'],
    ['[::1]', '[::1]'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('reads %s', (text, host) => {
    expect(parseHost(text)).toBe(host);
  });

  it.each([
    '',
    ':5000',
    'mirror:',
    'mirror:0',
    'mirror:65536',
    'mirror:5000:1',
    'mirror.',
    '.mirror',
    'a..b',
    '-a.example',
    'a-.example',
    'a_b.example',
    'a b',
    'a/b',
    'https://mirror.example',
    'user@mirror.example',
    '\u212a.example',
    '\uff4birror.example',
    'mirror.example:\u0665000',
    '*.example',
    '::1',
    '[::1',
    '[fe80::1%eth0]',
    '[192.0.2.1]',
    '192.0.2.256',
    '192.0.2',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}aa`,
  ])('refuses %j', (text) => {
    expect(() => parseHost(text)).toThrow(ValueError);
  });

  it('is idempotent and throws nothing but ValueError', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.domain(), fc.stringMatching(/^[-a-zA-Z0-9.:[\]]{0,20}$/), fc.string()),
        (text) => {
          const host = valueOrError(() => parseHost(text));
          expect(host instanceof ValueError || parseHost(host) === host).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('parseRegistryHost', () => {
  it.each(['ghcr.io', 'localhost', 'localhost:5000', 'registry:5000', '[::1]:5000', '192.0.2.1'])(
    'reads %s',
    (text) => {
      expect(parseRegistryHost(text)).toBe(text);
    },
  );

  it.each(['library', 'registry', 'docker.io/library', 'no host', ''])(
    'refuses %j, which clients would take for a part of a repository',
    (text) => {
      expect(() => parseRegistryHost(text)).toThrow(
        new ValueError('a registry host such as ghcr.io or registry.example:5000'),
      );
    },
  );
});
