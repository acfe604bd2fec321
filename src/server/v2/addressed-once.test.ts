import { expect, test } from 'vitest';
import { assertAddressedOnce, hasTwoHosts } from './addressed-once.ts';

test.each<[readonly string[], boolean]>([
  [[], false],
  [['Host', 'a', 'Accept', 'host'], false],
  [['Accept', '*/*', 'Host', 'a', 'X', 'y', 'hOST', 'a'], true],
])('%j: two hosts %s', (rawHeaders, expected) => {
  expect(hasTwoHosts(rawHeaders)).toBe(expected);
});

test.each<[readonly string[], string]>([
  [['Host', 'a', 'Host', 'a'], ''],
  [['Host', 'a'], 'ns=docker.io&ns=docker.io'],
])('%j and %s', (rawHeaders, query) => {
  expect(() => assertAddressedOnce(rawHeaders, new URLSearchParams(query))).toThrow(
    expect.objectContaining({ code: 'NAME_INVALID' }),
  );
});

test('a request with one Host and one ns passes', () => {
  const query = new URLSearchParams('ns=docker.io&n=1&n=2');
  expect(() => assertAddressedOnce(['Host', 'a'], query)).not.toThrow();
});
