import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSecretOf, isTokenName, makeToken, readToken } from './static-token.ts';
import { formatTokens, NO_TOKENS, parseTokens } from './token-list.ts';

const NOW = Date.UTC(2026, 0, 1);
const ROW = {
  id: '0123456789ab',
  name: 'ci',
  sha256: 'a'.repeat(64),
  created: '2026-01-01T00:00:00.000Z',
};

function listOf(...rows: readonly unknown[]): string {
  return JSON.stringify({ version: 1, tokens: rows });
}

describe('a static token', () => {
  const { token, text } = makeToken({ name: 'ci', now: NOW }, (bytes) => Buffer.alloc(bytes, 0xab));

  it('is presented by its id and its secret, of which the file has a hash', () => {
    const presented = readToken(text);
    expect(presented?.id).toBe(token.id);
    expect(isSecretOf(presented?.secret ?? '', token)).toBe(true);
    expect(JSON.stringify(token)).not.toContain(presented?.secret);
  });

  it.each(['', 'x', text.slice(-43, -1), `${text.slice(-43)}x`])('has no other secret: %j', (secret) => {
    expect(isSecretOf(secret, token)).toBe(false);
  });

  it.each([
    '',
    'larder_',
    text.slice(0, -1),
    `${text}x`,
    ` ${text}`,
    text.toUpperCase(),
    text.replace('larder', 'x'),
  ])('is not %j', (other) => expect(readToken(other)).toBeUndefined());

  it('can be read back for any random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (random) => {
        const made = makeToken({ name: 'ci', now: NOW }, (bytes) => Buffer.from(random.subarray(0, bytes)));
        expect(isSecretOf(readToken(made.text)?.secret ?? '', made.token)).toBe(true);
      }),
    );
  });

  it.each([
    ['ci', true],
    ['CI.build_2-x', true],
    ['a', true],
    ['', false],
    ['-ci', false],
    ['ci.', false],
    ['c i', false],
    ['c*', false],
    ['c:i', false],
    ['a'.repeat(64), true],
    ['a'.repeat(65), false],
  ])('may be named %j: %s', (name, isName) => expect(isTokenName(name)).toBe(isName));
});

describe('the file of tokens', () => {
  it('gives back what was written', () => {
    const time = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true });
    const anyToken = fc.record({
      id: fc.stringMatching(/^[0-9a-f]{12}$/),
      name: fc.stringMatching(/^[a-z0-9]{1,8}$/),
      sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
      createdAt: time.map((date) => date.getTime()),
      expiresAt: fc.option(
        time.map((date) => date.getTime()),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(fc.array(anyToken), (tokens) => {
        const list = new Map(tokens.map((token) => [token.id, token]));
        expect(parseTokens('tokens', formatTokens(list))).toEqual(list);
      }),
    );
  });

  it('may be empty', () => expect(parseTokens('tokens', formatTokens(NO_TOKENS))).toEqual(new Map()));

  it.each([
    ['nothing', '', 'tokens is no JSON'],
    ['a part of it', formatTokens(NO_TOKENS).slice(0, -5), 'tokens is no JSON'],
    ['a list', '[]', 'tokens is no list of tokens that this version'],
    ['another version', '{"version":2,"tokens":[]}', 'tokens is no list of tokens that this version'],
    ['no object', listOf(ROW, null), 'the token at position 2 is damaged'],
    ['no id', listOf({ ...ROW, id: undefined }), 'the token at position 1 is damaged'],
    ['a hash that is cut off', listOf({ ...ROW, sha256: 'aa' }), 'the token at position 1 is damaged'],
    ['a name that none can have', listOf({ ...ROW, name: 'a:b' }), 'the token at position 1 is damaged'],
    ['an end that cannot be read', listOf({ ...ROW, expires: 'soon' }), 'the token at position 1 is damaged'],
    ['an end of null', listOf({ ...ROW, expires: null }), 'the token at position 1 is damaged'],
    ['no beginning', listOf({ ...ROW, created: 1 }), 'the token at position 1 is damaged'],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseTokens('tokens', text)).toThrow(message);
    expect(() => parseTokens('tokens', text)).toThrow('restore it, or move it away and make all tokens anew');
  });
});
