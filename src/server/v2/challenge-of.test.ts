import { expect, test } from 'vitest';
import { AccessError, type AccessFailure } from '../../access/access-error.ts';
import { challengeOf } from './challenge-of.ts';
import { parseV2Path } from './v2-path.ts';

const REALM = 'https://mirror.test/token?ns=ghcr.io';
const BEARER = `Bearer realm="${REALM}",service="larder"`;

test.each<[string, AccessFailure, string | undefined]>([
  ['/ghcr.io/v2/acme/app/manifests/1', 'no-credentials', `${BEARER},scope="repository:acme/app:pull"`],
  ['/v2/ghcr.io/acme/app/tags/list', 'no-credentials', `${BEARER},scope="repository:ghcr.io/acme/app:pull"`],
  [
    '/v2/localhost:5443/app/tags/list',
    'no-credentials',
    `${BEARER},scope="repository:localhost:5443/app:pull"`,
  ],
  ['/v2/app/tags/list', 'wrong-credentials', `${BEARER},scope="repository:app:pull",error="invalid_token"`],
  [
    '/v2/app/tags/list',
    'insufficient-scope',
    `${BEARER},scope="repository:app:pull",error="insufficient_scope"`,
  ],
  ['/v2/_catalog', 'no-credentials', `${BEARER},scope="registry:catalog:*"`],
  ['/v2/', 'no-credentials', BEARER],
  ['/v2/', 'wrong-credentials', `${BEARER},error="invalid_token"`],
  ['/v2/a%20b/tags/list', 'no-credentials', BEARER],
  ['/v2/a%22,b/tags/list', 'no-credentials', BEARER],
  ['/v2/%C3%A4/tags/list', 'no-credentials', BEARER],
  ['/v2/app/tags/list', 'denied', undefined],
  ['/v2/app/tags/list', 'throttled', undefined],
  ['/v2/app/tags/list', 'unavailable', undefined],
])('%s, %s', (path, failure, expected) => {
  expect(challengeOf(new AccessError(failure, ''), parseV2Path(path), REALM)).toBe(expected);
});

test('without a realm the client is asked for its credentials themselves', () => {
  const error = new AccessError('no-credentials', '');
  expect(challengeOf(error, parseV2Path('/v2/'), undefined)).toBe('Basic realm="larder"');
});

test('a path that cannot be read has no scope', () => {
  expect(challengeOf(new AccessError('no-credentials', ''), undefined, REALM)).toBe(BEARER);
});
