import { describe, expect, test } from 'vitest';
import type { BearerDemand } from './demand.ts';
import { isNextWorthTrying, tokenRequests } from './token-request.ts';

const demand: BearerDemand = {
  scheme: 'bearer',
  realm: new URL('https://a.example/token?tenant=x&scope=aws'),
  service: 'a service',
  scopes: ['aws', 'repository:a/b:pull'],
};
const password = { kind: 'password', username: 'bot', password: 'p:ä' } as const;
const identity = { kind: 'identity-token', token: 'refresh' } as const;
const query = 'tenant=x&scope=aws&service=a+service&scope=repository%3Aa%2Fb%3Apull';

describe('tokenRequests', () => {
  test("anonymous: GET, merged with the realm's query", () => {
    const [only, ...rest] = tokenRequests(demand, undefined);
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ method: 'GET', headers: {} });
    expect(only?.url.href).toBe(`https://a.example/token?${query}`);
  });

  test('a password: GET with Basic, then POST', () => {
    const [first, second] = tokenRequests(demand, password);
    expect(first?.url.search).toBe(`?${query}&account=bot`);
    expect(first?.headers).toEqual({ authorization: `Basic ${Buffer.from('bot:p:ä').toString('base64')}` });
    expect(Object.fromEntries(new URLSearchParams(second?.body))).toEqual({
      client_id: 'larder',
      grant_type: 'password',
      service: 'a service',
      scope: 'aws repository:a/b:pull',
      username: 'bot',
      password: 'p:ä',
    });
    expect(second).toMatchObject({ method: 'POST', url: demand.realm });
  });

  test('an identity token: POST, then GET as <token>', () => {
    const [first, second] = tokenRequests(demand, identity);
    expect(Object.fromEntries(new URLSearchParams(first?.body))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
    });
    expect(second?.headers).toEqual({
      authorization: `Basic ${Buffer.from('<token>:refresh').toString('base64')}`,
    });
    expect(second?.url.searchParams.has('account')).toBe(false);
  });

  test('no service parameter if the challenge names none', () => {
    const [only] = tokenRequests({ ...demand, service: undefined, scopes: [] }, undefined);
    expect(only?.url.href).toBe(demand.realm.href);
  });

  test.each([
    ['neither service nor scope if the challenge names none', [], {}],
    ['a scope that is the only one', ['aws'], { scope: 'aws' }],
  ])('by POST, %s', (_, scopes, expected) => {
    const [first] = tokenRequests({ ...demand, service: undefined, scopes }, identity);
    expect(Object.fromEntries(new URLSearchParams(first?.body))).toEqual({
      client_id: 'larder',
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
      ...expected,
    });
  });
});

test.each([
  ['GET', 404, true],
  ['GET', 405, true],
  ['GET', 401, false],
  ['GET', 400, false],
  ['GET', 503, false],
  ['POST', 400, true],
  ['POST', 401, true],
  ['POST', 404, true],
  ['POST', 405, true],
  ['POST', 403, false],
  ['POST', 429, false],
] as const)('after %s and %i, another way: %s', (method, status, expected) => {
  const request = { method, url: demand.realm, headers: {} };
  expect(isNextWorthTrying(request, status)).toBe(expected);
});
