import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHttpUrl, parseRegistryUrl } from './http-url.ts';
import { ValueError, valueOrError } from '../value-error.ts';

describe('parseHttpUrl', () => {
  it.each([
    ['https://registry.example', 'https://registry.example/'],
    ['https://registry.example/', 'https://registry.example/'],
    ['HTTPS://Registry.Example:5443', 'https://registry.example:5443/'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/'],
    ['http://[::1]:5000/path/', 'http://[::1]:5000/path'],
    ['https://registry.example/a/b//', 'https://registry.example/a/b'],
  ])('reads %s', (text, href) => {
    expect(parseHttpUrl(text).href).toBe(href);
  });

  it.each([
    ['', 'a URL such as https://registry.example:5443'],
    ['registry.example', 'a URL such as https://registry.example:5443'],
    ['//registry.example', 'a URL such as https://registry.example:5443'],
    ['https:/registry.example', 'a URL such as https://registry.example:5443'],
    ['https:registry.example', 'a URL such as https://registry.example:5443'],
    ['ftp://registry.example', 'a URL such as https://registry.example:5443'],
    ['https://registry.example\\path', 'a URL such as https://registry.example:5443'],
    [' https://registry.example', 'a URL such as https://registry.example:5443'],
    ['https://registry.example:99999', 'a URL such as https://registry.example:5443'],
    ['https://registry.example/a?b=c', 'a URL without query and fragment'],
    ['https://registry.example/a#', 'a URL without query and fragment'],
    ['https://me:secret@registry.example', 'a URL without user and password'],
    ['https://me@registry.example', 'a URL without user and password'],
  ])('refuses %j', (text, expected) => {
    expect(() => parseHttpUrl(text)).toThrow(new ValueError(expected));
  });

  it('is idempotent and throws nothing but ValueError', () => {
    const nearly = fc.stringMatching(/^https?:\/{0,3}[-a-z0-9.:@[\]/?#%\\ ]{0,20}$/);
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), nearly, fc.string()), (text) => {
        const url = valueOrError(() => parseHttpUrl(text));
        expect(url instanceof ValueError || parseHttpUrl(url.href).href === url.href).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseRegistryUrl', () => {
  it.each(['https://registry.example/v2', 'https://registry.example/v2/', 'https://registry.example/a/v1'])(
    'refuses %s',
    (text) => {
      expect(() => parseRegistryUrl(text)).toThrow(
        new ValueError('a URL without /v2 at its end, which is added'),
      );
    },
  );

  it('reads a path before the API', () => {
    expect(parseRegistryUrl('https://registry.example/dev2').pathname).toBe('/dev2');
  });
});
