import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader } from '../../test/support/hostile.ts';
import { formatChallenge, parseChallenges, type Challenge } from './challenge.ts';
import { quote, type HeaderLines } from './scanner.ts';

/** `scheme` and parameters as a plain value, for short tables. */
function plain({ scheme, params, token68 }: Challenge): unknown[] {
  return token68 === undefined ? [scheme, Object.fromEntries(params)] : [scheme, token68];
}

const read = (header: HeaderLines) => parseChallenges(header).map(plain);

describe('parseChallenges', () => {
  it.each<[string, HeaderLines, unknown[]]>([
    ['no header', undefined, []],
    ['an empty one', '', []],
    ['only separators', ' , ,\t,', []],
    [
      'Docker Hub',
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:library/x:pull',
          },
        ],
      ],
    ],
    [
      'a comma in quotes',
      'Bearer realm="a",scope="repository:x:pull,push", error="e"',
      [['bearer', { realm: 'a', scope: 'repository:x:pull,push', error: 'e' }]],
    ],
    ['escapes', String.raw`Basic realm="a \"b\" \\ c"`, [['basic', { realm: String.raw`a "b" \ c` }]]],
    [
      'tokens without quotes',
      'Bearer service=registry, scope=aws',
      [['bearer', { service: 'registry', scope: 'aws' }]],
    ],
    [
      'a URL without quotes',
      'Bearer realm=https://example.com/token?a=b,service=x',
      [['bearer', { realm: 'https://example.com/token?a=b', service: 'x' }]],
    ],
    ['any case', 'BEARER Realm="A"', [['bearer', { realm: 'A' }]]],
    [
      'spaces around everything',
      ' Bearer   realm = "a" ,\t service="b" ',
      [['bearer', { realm: 'a', service: 'b' }]],
    ],
    ['a missing comma', 'Bearer realm="a" service="b"', [['bearer', { realm: 'a', service: 'b' }]]],
    ['the first of two', 'Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
    ['an empty value', 'Basic realm=""', [['basic', { realm: '' }]]],
    ['a bare scheme', 'Negotiate', [['negotiate', {}]]],
    ['a bare scheme and spaces', 'Negotiate  ', [['negotiate', {}]]],
    ['token68', 'Negotiate YWJj/+_~.-==', [['negotiate', 'YWJj/+_~.-==']]],
    [
      'a bare scheme before others',
      'Negotiate, NTLM , Basic realm="a"',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'a' }],
      ],
    ],
    [
      'several in one line',
      'Bearer realm="a",service="b", Basic realm="c", Digest realm="d", qop="auth, auth-int", nonce=e',
      [
        ['bearer', { realm: 'a', service: 'b' }],
        ['basic', { realm: 'c' }],
        ['digest', { realm: 'd', qop: 'auth, auth-int', nonce: 'e' }],
      ],
    ],
    [
      'several lines',
      ['Basic realm="a"', '', 'Bearer realm="b", Negotiate abc='],
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b' }],
        ['negotiate', 'abc='],
      ],
    ],
    [
      'an unclosed quote',
      'Basic realm="a", Bearer realm="b, service="c"',
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b, service=' }],
      ],
    ],
    [
      'a quote that nothing closes',
      'Basic realm="a", Bearer service=s,realm="b',
      [
        ['basic', { realm: 'a' }],
        ['bearer', { service: 's' }],
      ],
    ],
    ['a text that is no scheme', '"a" Bearer realm="b"', []],
    ['a parameter without its scheme', 'realm="b"', []],
    ['a bad line beside a good one', ['=', 'Basic realm="a"'], [['basic', { realm: 'a' }]]],
    [
      'names of prototypes',
      'Bearer __proto__=a,constructor=b',
      [['bearer', { ['__proto__']: 'a', constructor: 'b' }]],
    ],
  ])('reads %s', (_, header, challenges) => {
    expect(read(header)).toEqual(challenges);
  });

  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
  const params = fc.uniqueArray(
    fc.tuple(
      token.map((name) => name.toLowerCase()),
      fc.string({ unit: 'grapheme-ascii' }),
    ),
    {
      selector: ([name]) => name,
      maxLength: 4,
    },
  );
  const scheme = token.map((name) => name.toLowerCase());
  const challenge = fc.oneof(
    fc.record({ scheme, params: params.map((entries) => new Map(entries)) }),
    fc.record({
      scheme,
      params: fc.constant(new Map()),
      token68: fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,9}={0,2}$/),
    }),
  );

  function format({ scheme, params, token68 }: Challenge): string {
    const list = [...params].map(([name, value]) => `${name}=${quote(value)}`).join(', ');
    return [scheme, token68 ?? list].join(' ').trimEnd();
  }

  it('reads back any challenges that are written, on one line or on several', () => {
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 5 }), (challenges) => {
        const lines = challenges.map(format);
        expect(parseChallenges(lines)).toEqual(challenges);
        expect(parseChallenges(lines.join(', '))).toEqual(challenges);
      }),
    );
  });

  it('never throws, and gives no more than the lines hold', () => {
    fc.assert(
      fc.property(hostileHeader, (header) => {
        const challenges = parseChallenges(header);
        expect(challenges.length).toBeLessThanOrEqual(32 * 16);
        expect(JSON.stringify(challenges.map(plain)).length).toBeLessThan(32 * 8192 * 10);
      }),
    );
  });

  it('bounds the number of challenges', () => {
    expect(parseChallenges('a, '.repeat(2000))).toHaveLength(16);
    expect(parseChallenges(`Bearer realm="${'a'.repeat(100_000)}"`)).toEqual([]);
  });
});

describe('formatChallenge', () => {
  it('writes the challenge of a registry', () => {
    const params = {
      realm: 'https://mirror.example/token?ns=ghcr.io',
      service: 'larder',
      scope: 'repository:acme/app:pull',
      error: undefined,
    };
    expect(formatChallenge('Bearer', params)).toBe(
      'Bearer realm="https://mirror.example/token?ns=ghcr.io",service="larder",scope="repository:acme/app:pull"',
    );
  });

  it('writes what is read back, whatever a client has put into a name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'binary' }), (plainText, any) => {
        const line = formatChallenge('Bearer', { realm: plainText, scope: any });
        expect(line).toMatch(/^[\x20-\x7e]+$/);
        expect(read(line)).toEqual([
          ['bearer', { realm: plainText, scope: any.replaceAll(/[^\x20-\x7e]/g, '?') }],
        ]);
      }),
    );
  });
});
