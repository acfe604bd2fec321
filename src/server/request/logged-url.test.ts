import { expect, test } from 'vitest';
import { loggedUrl } from './logged-url.ts';

test.each([
  ['/v2/debian/manifests/12', '/v2/debian/manifests/12'],
  ['/v2/debian/manifests/12?ns=docker.io', '/v2/debian/manifests/12?ns=docker.io'],
  ['/v2/a/tags/list?n=2&last=b%26c', '/v2/a/tags/list?n=2&last=b%26c'],
  [
    '/v2/a/referrers/x?artifactType=a/b&artifactType=c/d',
    '/v2/a/referrers/x?artifactType=a/b&artifactType=c/d',
  ],
  ['/v2/?ns=docker.io&token=SECRET', '/v2/?ns=docker.io'],
  ['/v2/?token=SECRET&n=2&access_token=SECRET', '/v2/?n=2'],
  ['/v2/?token=SECRET', '/v2/'],
  ['/v2/?SECRET', '/v2/'],
  ['/v2/?nsx=SECRET&xn=SECRET&%6es=SECRET&ns', '/v2/?ns'],
  ['/v2/?', '/v2/'],
  ['http://bot:SECRET@mirror.example/v2/?n=1', 'http://mirror.example/v2/?n=1'],
  ['', ''],
])('%s is logged as %s', (url, logged) => {
  expect(loggedUrl(url)).toBe(logged);
});
