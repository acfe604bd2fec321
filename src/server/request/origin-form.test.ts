import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { toOriginForm } from './origin-form.ts';

test.each<[string, string | undefined, string, string]>([
  ['/v2/a/b?ns=c', 'mirror', '/v2/a/b?ns=c', 'mirror'],
  ['/readyz', undefined, '/readyz', 'host.invalid'],
  ['http://mirror:5000/v2/', 'other', '/v2/', 'mirror:5000'],
  ['HTTPS://mirror', 'other', '/', 'mirror'],
  ['http://mirror?n=1', undefined, '/?n=1', 'mirror'],
  ['/v2/http://mirror/v2/', 'mirror', '/v2/http://mirror/v2/', 'mirror'],
  ['*', 'mirror', '*', 'mirror'],
  ['ftp://mirror/x', 'mirror', 'ftp://mirror/x', 'mirror'],
  ['', 'mirror', '', 'mirror'],
])('%j with host %j is asked for %j of %j', (url, host, expectedUrl, expectedHost) => {
  const incoming = { url, headers: { host } } as IncomingMessage;
  toOriginForm(incoming);
  expect([incoming.url, incoming.headers.host]).toEqual([expectedUrl, expectedHost]);
});
