import { expect, test } from 'vitest';
import { MAX_PAGE, parseArtifactTypes, parsePageQuery } from './page-query.ts';

test.each([
  ['', { limit: MAX_PAGE, after: undefined }],
  ['n=2', { limit: 2, after: undefined }],
  ['n=0&last=b', { limit: 0, after: 'b' }],
  ['n=', { limit: MAX_PAGE, after: undefined }],
  ['n=&n=2&last=', { limit: 2, after: undefined }],
  ['n=1000000000', { limit: MAX_PAGE, after: undefined }],
])('%s', (query, expected) => {
  expect(parsePageQuery(new URLSearchParams(query))).toEqual(expected);
});

test.each(['n=-1', 'n=1e9', 'n=%20', 'n=x', 'n=1.5', 'n=1&n=2', 'n=1&n=1', `n=${'9'.repeat(400)}`])(
  '%s is refused',
  (query) => {
    expect(() => parsePageQuery(new URLSearchParams(query))).toThrow(
      expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID' }),
    );
  },
);

test.each<[string, string[]]>([
  ['', []],
  ['artifactType=', []],
  ['artifactType=application%2Fspdx%2Bjson', ['application/spdx+json']],
  ['artifactType=application/spdx+json', ['application/spdx+json']],
  ['artifactType=&artifactType=a/b&artifactType=c/d+e', ['a/b', 'c/d+e']],
])('the artifact types of %s', (query, expected) => {
  expect(parseArtifactTypes(new URLSearchParams(query))).toEqual(expected);
});
