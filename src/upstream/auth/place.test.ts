import { expect, test } from 'vitest';
import { placeOf } from './place.ts';

const place = (url: string, base = 'https://r.example') => placeOf(new URL(url), new URL(base));

test.each([
  ['https://r.example/v2/library/x/manifests/1', 'library/x'],
  ['https://r.example/v2/a/manifests/b/blobs/sha256:00', 'a/manifests/b'],
  ['https://r.example/v2/a/b/tags/list?n=10', 'a/b'],
  ['https://r.example/v2/a/referrers/sha256:00', 'a'],
  ['https://r.example/v2/', undefined],
  ['https://r.example/token', undefined],
])('the repository of %s', (url, repository) => {
  expect(place(url)).toMatchObject({ origin: 'https://r.example', repository, isOwn: true });
});

test('an upstream below a path has its ping there', () => {
  const { repository, pingUrl } = place(
    'https://r.example/mirror/v2/a/tags/list',
    'https://r.example/mirror',
  );
  expect([repository, pingUrl.href]).toEqual(['a', 'https://r.example/mirror/v2/']);
});

test("a URL beside the upstream's path, at its origin, is still its own", () => {
  const { repository, isOwn } = place('https://r.example/v2/a/tags/list', 'https://r.example/mirror');
  expect([repository, isOwn]).toEqual(['a', true]);
});

test('another origin is another registry: other host, other port, other scheme', () => {
  for (const origin of ['https://s.example', 'https://r.example:444', 'http://r.example']) {
    const { isOwn, repository, pingUrl } = place(`${origin}/v2/a/tags/list`, 'https://r.example/mirror');
    expect({ isOwn, repository, ping: pingUrl.href }).toEqual({
      isOwn: false,
      repository: 'a',
      ping: `${origin}/v2/`,
    });
  }
});

test("an upstream's own path without a repository is about the repository asked for", () => {
  const [base, other] = [new URL('https://r.example'), new URL('https://s.example/blob')];
  expect(placeOf(new URL('https://r.example/blob?x'), base, 'a/b').repository).toBe('a/b');
  expect(placeOf(new URL('https://r.example/v2/c/tags/list'), base, 'a/b').repository).toBe('c');
  expect(placeOf(other, base, 'a/b').repository).toBeUndefined();
});
