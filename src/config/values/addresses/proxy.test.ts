import { describe, expect, test } from 'vitest';
import { parseProxy } from './proxy.ts';

describe('parseProxy', () => {
  test.each([
    ['http://proxy.example:3128', 'http://proxy.example:3128/'],
    ['https://proxy.example/', 'https://proxy.example/'],
    ['HTTP://[::1]:3128', 'http://[::1]:3128/'],
  ])('%s', (text, href) => {
    expect(parseProxy(text)).toEqual({ url: new URL(href) });
  });

  test.each([
    ['http://user:pass@proxy:3128', 'user', 'pass'],
    ['http://user@proxy:3128', 'user', ''],
    ['http://us%40er:p%3Aa%2Fs%25s@proxy:3128', 'us@er', 'p:a/s%s'],
    ['http://user:p@ss@proxy:3128', 'user', 'p@ss'],
    ['http://d%C3%A9:%E2%82%AC@proxy:3128', 'dé', '€'],
  ])('%s, its account apart', (text, username, password) => {
    const { url, credentials } = parseProxy(text);
    expect(url.href).toBe('http://proxy:3128/');
    expect(credentials).toEqual({ kind: 'password', username, password });
  });

  test.each([
    ['proxy:3128', 'expected a proxy such as http://proxy.example:3128, without a path'],
    ['socks5://proxy:1080', 'expected a proxy such as http://proxy.example:3128, without a path'],
    ['socks5://user:pass@proxy:1080', 'expected a proxy such as http://proxy.example:3128, without a path'],
    ['http://proxy:3128/path', 'expected a proxy such as http://proxy.example:3128, without a path'],
    ['http://proxy:99999', 'expected a proxy such as http://proxy.example:3128, without a path'],
    ['http://user:pa/ss@proxy:3128', /percent-encoded/],
    ['http://user:pa#ss@proxy:3128', /percent-encoded/],
    ['http://user:100%@proxy:3128', /percent-encoded/],
  ])('%s is refused', (text, message) => {
    expect(() => parseProxy(text)).toThrow(message);
  });
});
