import { describe, expect, test } from 'vitest';
import type { Environment } from './interpolate.ts';
import { parseProxy } from '../values/addresses/proxy.ts';
import { proxyOf, readProxyEnvironment } from './proxy-environment.ts';

/** Returns the host of the proxy for a URL. */
function through(url: string, env: Environment, own?: string): string | undefined {
  const { proxies, lines } = readProxyEnvironment(env);
  expect(lines).toEqual([]);
  const said = own === undefined || own === 'none' ? own : parseProxy(own);
  return proxyOf(new URL(url), said, proxies)?.url.host;
}

describe('the proxy of a request', () => {
  test.each<[string, Environment, string | undefined, string | undefined]>([
    ['https://a.example', {}, undefined, undefined],
    ['https://a.example', { https_proxy: 'http://p:1' }, undefined, 'p:1'],
    ['https://a.example', { HTTPS_PROXY: 'http://p:1' }, undefined, 'p:1'],
    ['https://a.example', { https_proxy: 'http://p:1', HTTPS_PROXY: 'http://q:1' }, undefined, 'p:1'],
    ['https://a.example', { https_proxy: '', HTTPS_PROXY: 'http://q:1' }, undefined, 'q:1'],
    ['https://a.example', { https_proxy: 'p:1' }, undefined, 'p:1'],
    ['https://a.example', { https_proxy: 'user:pw@p:1/' }, undefined, 'p:1'],
    ['https://a.example', { http_proxy: 'http://p:1' }, undefined, undefined],
    ['http://a.example', { http_proxy: 'http://p:1' }, undefined, 'p:1'],
    ['http://a.example', { HTTP_PROXY: 'http://p:1' }, undefined, undefined],
    ['http://a.example', { https_proxy: 'http://p:1' }, undefined, undefined],
    ['https://a.example', { https_proxy: 'http://p:1', no_proxy: 'a.example' }, undefined, undefined],
    [
      'https://a.example',
      { https_proxy: 'http://p:1', NO_PROXY: 'b.example, a.example' },
      undefined,
      undefined,
    ],
    [
      'https://a.example',
      { https_proxy: 'http://p:1', no_proxy: 'b', NO_PROXY: 'a.example' },
      undefined,
      'p:1',
    ],
    ['https://127.0.0.1:5000', { https_proxy: 'http://p:1' }, undefined, undefined],
    ['https://a.example', { https_proxy: 'http://p:1', no_proxy: '*' }, 'http://own:2', 'own:2'],
    ['https://127.0.0.1', {}, 'http://own:2', 'own:2'],
    ['https://a.example', { https_proxy: 'http://p:1' }, 'none', undefined],
  ])('to %s with %j and proxy: %s is %s', (url, env, own, expected) => {
    expect(through(url, env, own)).toBe(expected);
  });
});

test.each([
  ['socks5://user:secret@p:1', 'HTTPS_PROXY'],
  ['http://user:sec/ret@p:1', 'https_proxy'],
  ['http://', 'http_proxy'],
])('%s is refused, and not shown', (value, name) => {
  const { lines } = readProxyEnvironment({ [name]: value });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`^${name}: expected a proxy`));
  expect(lines[0]).not.toMatch(/secret|ret@/);
});
