import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../http/challenge.ts';
import {
  chooseDemand,
  isInsufficientScope,
  isSameDemand,
  withPullScope,
  withoutRepositoryScopes,
  type BearerDemand,
  type AuthDemand,
} from './demand.ts';

const HUB =
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull"';
const demandOf = (...lines: string[]) => chooseDemand(parseChallenges(lines));
const bearer = (...scopes: string[]): BearerDemand => ({
  scheme: 'bearer',
  realm: new URL('https://a.example/token'),
  service: 's',
  scopes,
});

describe('chooseDemand', () => {
  test('chooses Bearer before Basic, in either order', () => {
    const expected = {
      scheme: 'bearer',
      realm: new URL('https://auth.docker.io/token'),
      service: 'registry.docker.io',
      scopes: ['repository:library/x:pull'],
    };
    expect(demandOf(HUB)).toEqual(expected);
    expect(demandOf('Basic realm="x"', HUB)).toEqual(expected);
    expect(demandOf(`Basic realm="x", ${HUB}`)).toEqual(expected);
  });

  test('reads a challenge without service and scope', () => {
    expect(demandOf('Bearer realm="https://nvcr.io/proxy_auth"')).toMatchObject({
      service: undefined,
      scopes: [],
    });
  });

  test('chooses Basic if Bearer has no usable realm', () => {
    expect(demandOf('Bearer service="x"', 'Basic realm="harbor"')).toEqual({ scheme: 'basic' });
    expect(demandOf('Bearer realm="file:///x"', 'Basic')).toEqual({ scheme: 'basic' });
  });

  test('chooses Basic although its realm is a URL', () => {
    expect(demandOf('Basic realm="https://a.example/token"')).toEqual({ scheme: 'basic' });
  });

  test('chooses no scheme that Larder does not support', () => {
    expect(demandOf('Negotiate', 'Digest realm="x",nonce="y"')).toBeUndefined();
    expect(demandOf()).toBeUndefined();
  });

  test('keeps a scope once that is named twice', () => {
    const demand = demandOf('Bearer realm="https://a.example",scope="aws aws  other"');
    expect(demand).toMatchObject({ scopes: ['aws', 'other'] });
  });

  test('bounds the list of scopes', () => {
    const scope = Array.from({ length: 100 }, (_, i) => `s${i}`).join(' ');
    const demand = demandOf(`Bearer realm="https://a.example",scope="${scope}"`);
    expect(demand).toMatchObject({ scopes: { length: 16 } });
  });
});

describe('withPullScope', () => {
  test.each([
    [[], ['repository:a/b:pull']],
    [['aws'], ['aws', 'repository:a/b:pull']],
    [['repository:a/b:pull'], ['repository:a/b:pull']],
    [['repository:prefix/a/b:pull'], ['repository:prefix/a/b:pull']],
    [['repository(plugin):a/b:pull'], ['repository(plugin):a/b:pull']],
  ])('%j', (asked, scopes) => {
    expect(withPullScope(bearer(...asked), 'a/b').scopes).toEqual(scopes);
  });

  test('adds nothing if the path names no repository', () => {
    expect(withPullScope(bearer(), undefined).scopes).toEqual([]);
  });
});

test('withoutRepositoryScopes keeps the scopes that hold for every repository of the host', () => {
  expect(withoutRepositoryScopes(bearer('aws', 'repository:user/image:pull'))).toEqual(bearer('aws'));
  expect(withoutRepositoryScopes({ scheme: 'basic' })).toEqual({ scheme: 'basic' });
});

describe('isSameDemand', () => {
  const basic = { scheme: 'basic' } as const;
  const realm = new URL('https://b.example/token');

  test.each<[string, AuthDemand, AuthDemand, boolean]>([
    ['the order of scopes', bearer('a', 'b'), bearer('b', 'a'), true],
    ['other scopes', bearer('a'), bearer('b'), false],
    ['another realm', bearer('a'), { ...bearer('a'), realm }, false],
    ['another service', bearer('a'), { ...bearer('a'), service: 'other' }, false],
    ['another scheme', bearer('a'), basic, false],
    ['Basic', basic, basic, true],
  ])('%s', (_, a, b, expected) => {
    expect(isSameDemand(a, b)).toBe(expected);
    expect(isSameDemand(b, a)).toBe(expected);
  });
});

describe('isInsufficientScope', () => {
  const said = (rest: string): boolean =>
    isInsufficientScope(parseChallenges(`Bearer realm="https://a.example"${rest}`), ['repository:a/b:pull']);

  test.each([
    [',scope="repository:a/b:pull",error="insufficient_scope"', true],
    [',error="insufficient_scope"', true],
    [',scope="repository:a/c:pull",error="insufficient_scope"', false],
    [',scope="repository:a/b:pull",error="invalid_token"', false],
    [',scope="repository:a/b:pull"', false],
  ])('%s: %s', (rest, expected) => {
    expect(said(rest)).toBe(expected);
  });
});
