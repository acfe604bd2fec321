import { once } from 'node:events';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startMirror } from '../../support/mirror-fixture.ts';

const SEGMENTS = [
  'v2',
  'ghcr.io',
  'acme',
  'app',
  'manifests',
  'blobs',
  'tags',
  'list',
  'referrers',
  '_catalog',
  'uploads',
  'latest',
  '..',
  '.',
  '',
  '%2e%2e',
  '%2f',
  '%00',
  '%c0%af',
  '%zz',
  'A',
  `sha256:${'a'.repeat(64)}`,
  `sha256%3A${'b'.repeat(64)}`,
  'sha256:x',
  'a'.repeat(300),
] as const;
const QUERIES = [
  '',
  '?',
  '?ns=ghcr.io',
  '?ns=evil.example',
  '?ns=%0d%0a',
  '?n=-1',
  '?n=1e9',
  '?n=0',
  '?last=%ff',
  '?&&=&',
] as const;
const HEADERS = [
  'Range',
  'Accept',
  'If-None-Match',
  'If-Range',
  'X-Request-Id',
  'Authorization',
  'Host',
  'Expect',
  'Connection',
];

const path = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...SEGMENTS) }, fc.webSegment()), {
      maxLength: 9,
    }),
    fc.constantFrom(...QUERIES),
  )
  .map(([segments, query]) => `/${segments.join('/')}${query}`);

/** A header value as it may come over the wire: everything but what ends the line. */
const value = fc
  .oneof(
    fc.constantFrom(
      'bytes=0-',
      'bytes=-1',
      'bytes=9-1,2-3',
      '*/*;q=x',
      '"',
      'W/"a',
      'Bearer ,,,',
      '100-continue',
      ','.repeat(5000),
    ),
    fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  )
  .map((text) => text.replaceAll(/[\r\n\0]/g, ''));

const request = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'BREW'),
  path,
  headers: fc.array(fc.tuple(fc.constantFrom(...HEADERS), value), { maxLength: 5 }),
});

test('whatever is sent, the answer is a clean one, and the server lives', { timeout: 0 }, async () => {
  await using registry = await startFakeRegistry();
  registry.putImage('acme/app', 'latest');
  await using mirror = await startMirror({
    upstreams: [
      { name: 'docker.io', registry, addLibrary: true },
      { name: 'ghcr.io', registry },
    ],
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, headers }) => {
      const lines = headers.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      const status = await statusOf(
        Number(mirror.url.port),
        `${method} ${path} HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n${lines}\r\n`,
      );
      // Closed without a word is how Node answers what is no HTTP at all.
      expect(status === undefined || (status >= 200 && status < 500)).toBe(true);
    }),
    { numRuns: Number(process.env['LARDER_FUZZ_RUNS'] ?? 300) },
  );
  expect((await mirror.get('/v2/')).status).toBe(200);
  expect(mirror.served.filter(({ status }) => status >= 500)).toEqual([]);
});

async function statusOf(port: number, text: string): Promise<number | undefined> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.end(text, 'latin1');
  await once(socket, 'close');
  if (answer === '') return undefined;
  // 100 Continue is no answer yet.
  const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
  return statuses.find((status) => status >= 200) ?? 999;
}
