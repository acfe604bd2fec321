import { expect, test } from 'vitest';
import { packTags } from '../../../src/oci/tag-names.ts';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import { challenged, json, registryError } from '../../support/scripted-reply.ts';
import { MANIFEST_DIGEST, manifestReply, repo, tagged } from '../../support/upstream-content.ts';
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const ACR = 'acme.azurecr.io';
const app = repo('app');
const registry = { name: ACR, url: new URL(`https://${ACR}`) };

async function startAcr(setting?: Parameters<typeof credentialSource>[0]): Promise<UpstreamFixture> {
  const credentials = setting === undefined ? undefined : credentialSource(setting, registry);
  const acr = await startUpstreamFixture(ACR, [], { credentials });
  const realm = acr.url(ACR, '/oauth2/token');
  const challenge = `Bearer realm="${realm}",service="${ACR}",scope="repository:app:pull"`;
  acr
    .on('GET', /^\/v2\//)
    .withHeader('authorization', undefined)
    .reply(challenged(challenge));
  return acr;
}

test('access_token is the only member of its token answer', async () => {
  await using acr = await startAcr();
  acr
    .on('GET', '/oauth2/token')
    .withQuery('service', ACR)
    .reply(json({ access_token: 'a' }));
  acr.on('GET', '/v2/app/manifests/1').withHeader('authorization', 'Bearer a').reply(manifestReply());
  expect((await acr.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('a refresh token goes by POST', async () => {
  await using acr = await startAcr({ kind: 'identity-token', token: 'refresh' });
  acr
    .on('POST', '/oauth2/token')
    .once()
    .reply(json({ access_token: 'a' }));
  acr.on('GET', '/v2/app/manifests/1').withHeader('authorization', 'Bearer a').reply(manifestReply());
  await acr.upstream.manifest(app, tagged('1'));
  expect(Object.fromEntries(new URLSearchParams(acr.script.hitsOf('POST')[0]?.body))).toEqual({
    client_id: 'larder',
    grant_type: 'refresh_token',
    refresh_token: 'refresh',
    service: ACR,
    scope: 'repository:app:pull',
  });
});

test('some POSTs are 400 there: then it is asked by GET', async () => {
  await using acr = await startAcr({ kind: 'identity-token', token: 'refresh' });
  acr.on('POST', '/oauth2/token').once().reply(registryError(400, 'UNSUPPORTED'));
  const basic = `Basic ${Buffer.from('<token>:refresh').toString('base64')}`;
  acr
    .on('GET', '/oauth2/token')
    .withHeader('authorization', basic)
    .reply(json({ access_token: 'a' }));
  acr.on('GET', '/v2/app/manifests/1').withHeader('authorization', 'Bearer a').reply(manifestReply());
  expect((await acr.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
});

test('the Link of its tags carries an empty orderby, which goes back as it came', async () => {
  await using acr = await startAcr();
  acr.on('GET', '/oauth2/token').reply(json({ access_token: 'a' }));
  const list = '/v2/app/tags/list';
  const link = `<${list}?last=v1&n=2&orderby=>; rel="next"`;
  const first = json({ name: 'app', tags: ['latest', 'v1'] }, { headers: { link } });
  acr.on('GET', list).withQuery('last', undefined).reply(first);
  acr
    .on('GET', list)
    .withQuery('last', 'v1')
    .withQuery('orderby', '')
    .reply(json({ tags: ['v2'] }));
  const { next } = await acr.upstream.tags(app);
  expect(next).toBe('last=v1&n=2&orderby=');
  expect(await acr.upstream.tags(app, { next })).toEqual({ tags: packTags(['v2']), next: undefined });
});

test('referrers come from its API, through all pages', async () => {
  await using acr = await startAcr();
  acr.on('GET', '/oauth2/token').reply(json({ access_token: 'a' }));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const digests = ['a', 'b'].map((hex) => `sha256:${hex.repeat(64)}`);
  const page = (i: number, link?: string) => {
    const manifests = [
      { mediaType, digest: digests[i], size: 7, artifactType: 'application/x' },
      { digest: 'bad' },
    ];
    const contentType = { 'content-type': 'application/vnd.oci.image.index.v1+json; charset=utf-8' };
    const headers = { ...contentType, ...(link !== undefined && { link }) };
    return json(
      { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests },
      { headers },
    );
  };
  const path = `/v2/app/referrers/${MANIFEST_DIGEST}`;
  const evil = `<https://evil.example${path}?next=2>; rel="next"`;
  acr.on('GET', path).withQuery('artifactType', 'application/x').once().reply(page(0, evil));
  acr.on('GET', path).withQuery('next', '2').once().reply(page(1));
  const found = await acr.upstream.referrers(app, MANIFEST_DIGEST, { artifactType: 'application/x' });
  expect(found.map(({ digest }) => digest)).toEqual(digests);
});
