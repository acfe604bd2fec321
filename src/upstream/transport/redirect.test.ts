import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextHop } from './redirect.ts';

describe('nextHop', () => {
  test.each([
    ['https://a.example/v2/x', 'https://cdn.example/b?sig=1', 'https://cdn.example/b?sig=1'],
    ['https://a.example/v2/x', '/v2/library/x', 'https://a.example/v2/library/x'],
    ['https://a.example/v2/x', '//b.example/y', 'https://b.example/y'],
    ['https://a.example/v2/x', 'https://u:p@b.example/y#f', 'https://b.example/y'],
    ['http://a.example/v2/x', 'https://a.example/v2/x', 'https://a.example/v2/x'],
    ['http://a.example/v2/x', 'http://b.example/y', 'http://b.example/y'],
  ])('%s → %s', (current, location, expected) => {
    expect(nextHop(new URL(current), location)).toMatchObject({ url: new URL(expected) });
  });

  test.each<[string, string, string | undefined]>([
    ['a quote', "https://cdn.example/b'?sig='x'", "/b'?sig='x'"],
    ['encoded dots', 'https://cdn.example/a/%2e%2e/b?sig=1', '/a/%2e%2e/b?sig=1'],
    ['a bare question mark', 'https://cdn.example/b?', '/b?'],
    [
      'lower-case escapes, and characters that need none',
      '/b/%2f%7E~!$&()*+,;=:@?sig=%3d|[]',
      '/b/%2f%7E~!$&()*+,;=:@?sig=%3d|[]',
    ],
    ['braces and bars in a path', 'https://cdn.example/{a}|b"<c>', '/{a}|b"<c>'],
    ['no path', 'https://cdn.example?sig=1', '/?sig=1'],
    ['a path that begins with two slashes', 'https://cdn.example//b?sig=1', '//b?sig=1'],
    ['no scheme', "//cdn.example/b'", "/b'"],
    ['a scheme and a host in capitals', "HTTPS://CDN.example:443/b'", "/b'"],
    ['user information and a fragment', "https://u:p@cdn.example/b'#f", "/b'"],
    ['bytes that are not ASCII', 'https://cdn.example/caf\xc3\xa9', '/caf%C3%A9'],
    ['a percent sign without digits', 'https://cdn.example/100%?x=%', '/100%?x=%'],
  ])('%s goes out as it was written', (_, location, target) => {
    const current = new URL('https://cdn.example/v2/x');
    const hop = nextHop(current, location);
    expect(hop).toMatchObject({ target, url: { host: 'cdn.example' } });
  });

  test.each([
    ['literal dots', 'https://cdn.example/a/../b?sig=1', 'https://cdn.example/b?sig=1'],
    ['a single dot', '/a/./b', 'https://cdn.example/a/b'],
    ['a relative path', "b'?x", "https://cdn.example/v2/b'?x"],
    ['a query alone', '?sig=1', 'https://cdn.example/v2/x?sig=1'],
    ['blanks', ' https://cdn.example/a b ', 'https://cdn.example/a%20b'],
    ['backslashes', 'https:\\\\cdn.example\\b', 'https://cdn.example/b'],
    [
      'a backslash before a host',
      'https://cdn.example\\@evil.example/b',
      'https://cdn.example/@evil.example/b',
    ],
    ['more slashes than two', 'https:////cdn.example/b', 'https://cdn.example/b'],
    ['one slash', 'https:/b', 'https://cdn.example/b'],
    ['a tab, which URLs drop', 'https://cdn.example/a\tb', 'https://cdn.example/ab'],
  ])('%s goes out as the URL has it', (_, location, expected) => {
    const hop = nextHop(new URL('https://cdn.example/v2/x'), location);
    expect(hop).toEqual({ url: new URL(expected), target: undefined });
  });

  test('the target that is sent, normalised, equals the judged URL', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '?',
      '#',
      '@',
      ':',
      '.',
      '%2e',
      '%2F',
      "'",
      'a',
      'evil.example',
      '//',
      ' ',
      '\t',
      '[',
      '443',
      'https:',
      'http:',
      'é',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('', 'https://cdn.example', '//'),
        fc.array(piece, { maxLength: 12 }),
        (start, pieces) => {
          const hop = nextHop(new URL('https://cdn.example/v2/x'), start + pieces.join(''));
          if ('refusal' in hop || hop.target === undefined) return;
          expect(hop.target).toMatch(/^\/[!-~]*$/);
          expect(new URL(hop.url.origin + hop.target).href).toBe(hop.url.href);
        },
      ),
    );
  });

  test.each([
    ['https://a.example/', 'http://a.example/', 'redirected from https:// to http://'],
    ['https://a.example/', 'ftp://a.example/', 'redirected from https:// to ftp://'],
    ['http://a.example/', 'file:///etc/passwd', 'redirected from http:// to file://'],
    ['http://a.example/', undefined, 'redirected without a usable Location'],
    ['http://a.example/', 'http://[', 'redirected without a usable Location'],
  ])('%s → %s is refused', (current, location, refusal) => {
    expect(nextHop(new URL(current), location)).toEqual({ refusal });
  });
});
