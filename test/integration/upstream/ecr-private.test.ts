import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import {
  bytes,
  challenged,
  redirect,
  registryError,
  status,
  type Reply,
} from '../../support/scripted-reply.ts';
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
import { startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const ECR = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
const S3 = 'prod-eu-central-1-starport-layer-bucket.s3.eu-central-1.amazonaws.com';
const app = repo('team/app');
const basic = (password: string): string => `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`;

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-ecr-'));
  path = join(folder, 'password');
});
afterAll(async () => rm(folder, { recursive: true }));

async function startEcr(password: string): Promise<UpstreamFixture> {
  await writeFile(path, password);
  const registry = { name: ECR, url: new URL(`https://${ECR}`) };
  const credentials = credentialSource({ kind: 'password-file', username: 'AWS', path }, registry);
  const ecr = await startUpstreamFixture(ECR, [S3], { credentials });
  for (const method of ['GET', 'HEAD']) {
    ecr
      .on(method, /^\/v2\//)
      .at(ECR)
      .withHeader('authorization', undefined)
      .reply(challenged(`Basic realm="https://${ECR}/",service="ecr.amazonaws.com"`));
  }
  return ecr;
}

test('an expired password is 403 without a challenge: the source is asked again, and the request sent once more', async () => {
  await using ecr = await startEcr('old');
  const url = '/v2/team/app/manifests/1';
  ecr.on('GET', url).withHeader('authorization', basic('old')).once().reply(manifestReply());
  await ecr.upstream.manifest(app, tagged('1'));
  const expired = registryError(403, 'DENIED', { message: 'Your authorization token has expired.' });
  const rotate = async (): Promise<Reply> => {
    await writeFile(path, 'new');
    return expired;
  };
  ecr.on('GET', url).withHeader('authorization', basic('old')).once().reply(rotate);
  ecr.on('GET', url).withHeader('authorization', basic('new')).once().reply(manifestReply());
  expect((await ecr.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
  ecr.on('GET', url).withHeader('authorization', basic('new')).once().reply(expired);
  await expect(ecr.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
    failure: 'denied',
    status: 403,
  });
});

test('a wrong password is not sent twice', async () => {
  await using ecr = await startEcr('wrong');
  ecr
    .on('GET', '/v2/team/app/manifests/1')
    .withHeader('authorization', basic('wrong'))
    .once()
    .reply(challenged('Basic realm="x"'));
  await expect(ecr.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
    failure: 'denied',
    status: 401,
  });
});

test('a GET without Docker-Content-Digest is verified by its bytes, a HEAD without it tells nothing', async () => {
  await using ecr = await startEcr('pw');
  const authorized = basic('pw');
  const noDigest = manifestReply({ 'docker-content-digest': undefined });
  ecr.on('GET', '/v2/team/app/manifests/1').withHeader('authorization', authorized).reply(noDigest);
  ecr.on('HEAD', '/v2/team/app/manifests/1').withHeader('authorization', authorized).reply(noDigest);
  ecr
    .on('GET', `/v2/team/app/manifests/${MANIFEST_DIGEST}`)
    .withHeader('authorization', authorized)
    .reply(noDigest);
  expect(await ecr.upstream.resolve(app, tagged('1'))).toBeUndefined();
  const expected = { digest: MANIFEST_DIGEST, verified: true };
  expect(await ecr.upstream.manifest(app, tagged('1'))).toMatchObject(expected);
  expect(await ecr.upstream.manifest(app, byDigest(MANIFEST_DIGEST))).toMatchObject(expected);
});

test('S3 answers 400 if it sees Authorization: it does not', async () => {
  await using ecr = await startEcr('pw');
  ecr
    .on('GET', `/v2/team/app/blobs/${LAYER_DIGEST}`)
    .withHeader('authorization', basic('pw'))
    .reply(redirect(ecr.url(S3, '/layer?X-Amz-Signature=secret')));
  ecr.on('GET', '/layer').at(S3).withHeader('authorization', undefined).reply(bytes(LAYER));
  ecr
    .on('GET', '/layer')
    .at(S3)
    .reply(status(400, { body: 'Only one auth mechanism allowed' }));
  expect(await readBlob(await ecr.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
});
