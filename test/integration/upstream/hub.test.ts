import { expect, test } from 'vitest';
import { packTags } from '../../../src/oci/tag-names.ts';
import {
  bytes,
  challenged,
  json,
  redirect,
  registryError,
  status,
  withHeaders,
} from '../../support/scripted-reply.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const HUB = 'registry-1.docker.io';
const AUTH = 'auth.docker.io';
const CDN = 'production.cloudflare.docker.com';
const debian = repo('library/debian');

function challenge(hub: UpstreamFixture, rest = ''): string {
  const scope = 'repository:library/debian:pull';
  return `Bearer realm="${hub.url(AUTH, '/token')}",service="registry.docker.io",scope="${scope}"${rest}`;
}

async function startHub(): Promise<UpstreamFixture> {
  const hub = await startUpstreamFixture(HUB, [AUTH, CDN]);
  hub
    .on('GET', '/token')
    .at(AUTH)
    .withQuery('service', 'registry.docker.io')
    .withQuery('scope', 'repository:library/debian:pull')
    .reply(json({ token: 'anonymous', expires_in: 300 }));
  hub
    .on('HEAD', /^\/v2\//)
    .at(HUB)
    .withHeader('authorization', undefined)
    .reply(challenged(challenge(hub)));
  hub
    .on('GET', /^\/v2\//)
    .at(HUB)
    .withHeader('authorization', undefined)
    .reply(challenged(challenge(hub)));
  return hub;
}

test('a tag is resolved by HEAD, which does not count as a pull, and the token serves the next request', async () => {
  await using hub = await startHub();
  const limits = {
    'ratelimit-limit': '100;w=21600',
    'ratelimit-remaining': '76;w=21600',
    'docker-ratelimit-source': '192.0.2.1',
  };
  hub.on('HEAD', '/v2/library/debian/manifests/12').reply(manifestReply(), withHeaders(limits));
  hub.on('GET', '/v2/library/debian/manifests/12').reply(manifestReply());
  const resolved = await hub.upstream.resolve(debian, tagged('12'));
  expect(resolved?.digest).toBe(MANIFEST_DIGEST);
  const fetched = await hub.upstream.manifest(debian, tagged('12'));
  expect(fetched).toMatchObject({ digest: MANIFEST_DIGEST, verified: true });
  expect(hub.log).toEqual([
    `HEAD ${HUB}/v2/library/debian/manifests/12`,
    `GET ${AUTH}/token`,
    `HEAD ${HUB}/v2/library/debian/manifests/12`,
    `GET ${HUB}/v2/library/debian/manifests/12`,
  ]);
  expect(hub.script.hits.at(-1)?.headers).toMatchObject({
    authorization: 'Bearer anonymous',
    'accept-encoding': 'identity',
    'user-agent': 'larder/test',
    accept: expect.stringContaining('application/vnd.oci.image.index.v1+json') as string,
  });
  expect(hub.eventsOf('rate-limit')).toEqual([
    { kind: 'rate-limit', upstream: HUB, limit: 100, remaining: 76 },
  ]);
});

test('insufficient_scope is denied, and is not asked for again', async () => {
  await using hub = await startHub();
  hub
    .on('GET', '/v2/library/debian/manifests/12')
    .withHeader('authorization', 'Bearer anonymous')
    .reply(challenged(challenge(hub, ',error="insufficient_scope"')));
  const pull = hub.upstream.manifest(debian, tagged('12'));
  await expect(pull).rejects.toMatchObject({ failure: 'denied', reason: 'unauthorized', isVerdict: true });
  await expect(hub.upstream.manifest(debian, tagged('12'))).rejects.toMatchObject({ failure: 'denied' });
  expect(hub.script.count('GET', '/token')).toBe(1);
  expect(hub.script.count('GET', '/v2/library/debian/manifests/12')).toBe(3);
});

test('the pull limit is 429 with a document, the abuse limit is 429 with text', async () => {
  await using hub = await startHub();
  const pull = registryError(429, 'TOOMANYREQUESTS', { message: 'You have reached your pull rate limit.' });
  hub.on('GET', '/v2/library/debian/manifests/12').reply(pull, withHeaders({ 'retry-after': '120' }));
  hub.on('GET', '/v2/library/debian/manifests/13').reply(status(429, { body: 'Too Many Requests' }));
  await expect(hub.upstream.manifest(debian, tagged('12'))).rejects.toMatchObject({
    failure: 'throttled',
    reason: 'rate-limit',
    retryAfterMs: 120_000,
  });
  await expect(hub.upstream.manifest(debian, tagged('13'))).rejects.toMatchObject({
    failure: 'throttled',
    reason: 'abuse-limit',
    retryAfterMs: undefined,
  });
});

test('a blob is redirected to the CDN, which never sees the token', async () => {
  await using hub = await startHub();
  const path = `/v2/library/debian/blobs/${LAYER_DIGEST}`;
  const signed = hub.url(CDN, `/registry-v2/blob?verify=1700-secret`);
  hub.on('GET', path).withHeader('authorization', 'Bearer anonymous').reply(redirect(signed));
  hub
    .on('GET', '/registry-v2/blob')
    .at(CDN)
    .withQuery('verify', '1700-secret')
    .withHeader('authorization', undefined)
    .withHeader('cookie', undefined)
    .reply(bytes(LAYER));
  const blob = await hub.upstream.blob(debian, LAYER_DIGEST);
  expect(blob).toMatchObject({ start: 0, size: LAYER.length });
  expect((await readBlob(blob)).equals(LAYER)).toBe(true);
  const told = hub.eventsOf('upstream-bytes').reduce((sum, { bytes }) => sum + bytes, 0);
  expect(told).toBe(LAYER.length);
});

test('tags come a hundred a page', async () => {
  await using hub = await startHub();
  const link = '</v2/library/debian/tags/list?n=100&last=b>; rel="next"';
  const list = hub.on('GET', '/v2/library/debian/tags/list').withQuery('n', '100');
  list
    .withQuery('last', undefined)
    .reply(json({ name: 'library/debian', tags: ['a', 'b'] }, { headers: { link } }));
  hub
    .on('GET', '/v2/library/debian/tags/list')
    .withQuery('last', 'b')
    .reply(json({ tags: ['c'] }));
  const first = await hub.upstream.tags(debian);
  expect(first).toEqual({ tags: packTags(['a', 'b']), next: 'n=100&last=b' });
  expect(await hub.upstream.tags(debian, { next: first.next })).toEqual({
    tags: packTags(['c']),
    next: undefined,
  });
});
