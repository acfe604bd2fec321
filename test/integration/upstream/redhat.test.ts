import { expect, test } from 'vitest';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { bytes, challenged, registryError, status, type Answer } from '../../support/scripted-reply.ts';
import { signedSchema1 } from '../../support/schema1.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  byDigest,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { startUpstreamFixture } from '../../support/upstream-fixture.ts';

const ACCESS = 'registry.access.redhat.com';
const REDHAT = 'registry.redhat.io';
const ubi = repo('ubi9/ubi');
const blobPath = `/v2/ubi9/ubi/blobs/${LAYER_DIGEST}`;

const gzipIfAsked: Answer = ({ headers }) =>
  /gzip/.test(String(headers['accept-encoding']))
    ? { status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(LAYER) }
    : { status: 200, headers: {}, body: LAYER };

test('blobs are compressed for whoever asks for gzip: Larder asks for identity', async () => {
  await using redhat = await startUpstreamFixture(ACCESS);
  redhat.on('GET', blobPath).reply(gzipIfAsked);
  const blob = await redhat.upstream.blob(ubi, LAYER_DIGEST);
  expect((await readBlob(blob)).equals(LAYER)).toBe(true);
});

test('a manifest that is compressed all the same is refused, and the reason is told', async () => {
  await using redhat = await startUpstreamFixture(ACCESS);
  const headers = { 'content-encoding': 'x-gzip', 'content-type': MediaType.ociManifest };
  redhat.on('GET', /manifests/).reply(bytes(gzipSync('{}'), { headers }));
  for (const reference of [tagged('1'), byDigest(MANIFEST_DIGEST)]) {
    await expect(redhat.upstream.manifest(ubi, reference)).rejects.toMatchObject({
      failure: 'unavailable',
      reason: 'content',
      message: expect.stringContaining('sent a body with Content-Encoding x-gzip') as string,
    });
  }
});

test.each(['gzip', 'aws-chunked', 'utf-8', 'binary', 'none'])(
  'whatever Content-Encoding says (%s), the bytes are what they are: their digest decides',
  async (encoding) => {
    await using redhat = await startUpstreamFixture(ACCESS);
    redhat.on('GET', blobPath).reply(bytes(LAYER, { headers: { 'content-encoding': encoding } }));
    redhat.on('GET', '/v2/ubi9/ubi/manifests/1').reply(manifestReply({ 'content-encoding': encoding }));
    const blob = await redhat.upstream.blob(ubi, LAYER_DIGEST);
    expect((await readBlob(blob)).equals(LAYER)).toBe(true);
    expect((await redhat.upstream.manifest(ubi, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
  },
);

test('a manifest as text/plain has the type that it names itself', async () => {
  await using redhat = await startUpstreamFixture(ACCESS);
  redhat
    .on('GET', '/v2/ubi9/ubi/manifests/1')
    .reply(manifestReply({ 'content-type': 'text/plain; charset=utf-8' }));
  redhat.on('GET', '/v2/ubi9/ubi/manifests/2').reply(manifestReply({ 'content-type': undefined }));
  const expected = { mediaType: MediaType.ociManifest, digest: MANIFEST_DIGEST };
  expect(await redhat.upstream.manifest(ubi, tagged('1'))).toMatchObject(expected);
  expect(await redhat.upstream.manifest(ubi, tagged('2'))).toMatchObject(expected);
});

test('signed schema 1 has the digest of its payload, and what has another is refused', async () => {
  await using redhat = await startUpstreamFixture(ACCESS);
  const document = signedSchema1({ schemaVersion: 1, name: 'ubi9/ubi', tag: '1', fsLayers: [] });
  const digest = digestOf(document.payload);
  const headers = { 'content-type': 'text/plain', 'docker-content-digest': digest };
  redhat.on('GET', /manifests/).reply(bytes(document.bytes, { headers }));
  const expected = { mediaType: MediaType.dockerSchema1Signed, digest, verified: false };
  expect(await redhat.upstream.manifest(ubi, tagged('1'))).toMatchObject(expected);
  expect(await redhat.upstream.manifest(ubi, byDigest(digest))).toMatchObject(expected);
  const other = redhat.upstream.manifest(ubi, byDigest(MANIFEST_DIGEST));
  await expect(other).rejects.toMatchObject({ failure: 'unavailable', reason: 'content' });
});

test('anonymous is 401 at the token endpoint of registry.redhat.io', async () => {
  await using redhat = await startUpstreamFixture(REDHAT);
  const realm = redhat.url(REDHAT, '/auth/realms/rhcc/protocol/redhat-docker-v2/auth');
  const challenge = `Bearer realm="${realm}",service="docker-registry"`;
  redhat
    .on('GET', '/v2/ubi9/ubi/manifests/1')
    .withHeader('authorization', undefined)
    .reply(challenged(challenge));
  redhat.on('GET', /^\/auth\/realms/).reply(status(401, { body: '<html>' }));
  const failed = { failure: 'unavailable', reason: 'token', status: 401 };
  await expect(redhat.upstream.manifest(ubi, tagged('1'))).rejects.toMatchObject(failed);
});

test('404 UNKNOWN is absent', async () => {
  await using redhat = await startUpstreamFixture(REDHAT);
  redhat.on('GET', '/v2/nothing/here/manifests/1').reply(registryError(404, 'UNKNOWN'));
  const pull = redhat.upstream.manifest(repo('nothing/here'), tagged('1'));
  await expect(pull).rejects.toMatchObject({ failure: 'absent' });
});
