import { describe, expect, it } from 'vitest';
import { isMisspelt, nearest } from './nearest.ts';

const KEYS = ['listen', 'cache', 'maxSize', 'minFree', 'ttl', 'url', 'upstreams', 'defaultUpstream'];

describe('nearest', () => {
  it.each([
    ['lisen', 'listen'],
    ['Listen', 'listen'],
    ['max_size', 'maxSize'],
    ['max-size', 'maxSize'],
    ['maxsize', 'maxSize'],
    ['upstream', 'upstreams'],
    ['ulr', 'url'],
    ['tll', 'ttl'],
    ['cahce', 'cache'],
  ])('%s means %s', (text, key) => {
    expect(nearest(text, KEYS)).toBe(key);
  });

  it.each(['', 'x', 'size', 'remote', 'proxyUrl', 'x'.repeat(10_000)])('%s means none', (text) => {
    expect(nearest(text, KEYS)).toBeUndefined();
  });
});

describe('isMisspelt', () => {
  it('is true if an unknown key looks like the key in question', () => {
    expect(isMisspelt({ ulr: 1 }, 'url', KEYS)).toBe(true);
    expect(isMisspelt({ url: 1 }, 'url', KEYS)).toBe(false);
    expect(isMisspelt({ tll: 1 }, 'url', KEYS)).toBe(false);
  });
});
