import { expect, test } from 'vitest';
import { credentialSource } from '../../../src/upstream/credentials/source.ts';
import { bytes, challenged, json, redirect, registryError, status } from '../../support/scripted-reply.ts';
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

const K8S = 'registry.k8s.io';
const GAR = 'europe-west1-docker.pkg.dev';
const S3 = 'prod-registry-k8s-io-eu-central-1.s3.dualstack.eu-central-1.amazonaws.com';
const pause = repo('pause');
const target = '/v2/k8s-artifacts-prod/images/pause';

async function startK8s(): Promise<UpstreamFixture> {
  // An account for the front would be a secret that the host behind it has no claim to.
  const registry = { name: K8S, url: new URL(`https://${K8S}`) };
  const account = { kind: 'password', username: 'u', password: 'secret' } as const;
  const k8s = await startUpstreamFixture(K8S, [GAR, S3], {
    credentials: credentialSource(account, registry),
  });
  for (const method of ['GET', 'HEAD']) {
    k8s
      .on(method, '/v2/pause/manifests/3.9')
      .at(K8S)
      .withHeader('authorization', undefined)
      .reply(redirect(k8s.url(GAR, `${target}/manifests/3.9`)));
  }
  return k8s;
}

function challengeAtGar(k8s: UpstreamFixture): string {
  const scope = 'repository:k8s-artifacts-prod/images/pause:pull';
  return `Bearer realm="${k8s.url(GAR, '/v2/token')}",service="${GAR}",scope="${scope}"`;
}

test('manifests are redirected to another registry, whose own realm gives an anonymous token', async () => {
  await using k8s = await startK8s();
  for (const method of ['GET', 'HEAD']) {
    const manifest = `${target}/manifests/3.9`;
    k8s
      .on(method, manifest)
      .at(GAR)
      .withHeader('authorization', undefined)
      .reply(challenged(challengeAtGar(k8s)));
    k8s.on(method, manifest).at(GAR).withHeader('authorization', 'Bearer t').reply(manifestReply());
  }
  k8s
    .on('GET', '/v2/token')
    .at(GAR)
    .withHeader('authorization', undefined)
    .withQuery('account', undefined)
    .withQuery('scope', 'repository:k8s-artifacts-prod/images/pause:pull')
    .once()
    .reply(json({ token: 't' }));
  expect((await k8s.upstream.resolve(pause, tagged('3.9')))?.digest).toBe(MANIFEST_DIGEST);
  expect((await k8s.upstream.manifest(pause, tagged('3.9'))).digest).toBe(MANIFEST_DIGEST);
  // The second time the token is sent from the start; the redirect itself is asked for anew.
  expect(k8s.log.slice(-2)).toEqual([
    `GET ${K8S}/v2/pause/manifests/3.9`,
    `GET ${GAR}${target}/manifests/3.9`,
  ]);
});

test('the target answers without a challenge: its ping has one', async () => {
  await using k8s = await startK8s();
  const manifest = `${target}/manifests/3.9`;
  k8s.on('GET', manifest).at(GAR).withHeader('authorization', undefined).reply(status(401));
  k8s.on('GET', manifest).at(GAR).withHeader('authorization', 'Bearer t').reply(manifestReply());
  k8s
    .on('GET', '/v2/')
    .at(GAR)
    .once()
    .reply(challenged(`Bearer realm="${k8s.url(GAR, '/v2/token')}"`));
  k8s
    .on('GET', '/v2/token')
    .at(GAR)
    .once()
    .reply(json({ token: 't' }));
  expect((await k8s.upstream.manifest(pause, tagged('3.9'))).digest).toBe(MANIFEST_DIGEST);
});

test('what the target does not have is absent', async () => {
  await using k8s = await startK8s();
  k8s.on('GET', `${target}/manifests/3.9`).at(GAR).reply(registryError(404, 'MANIFEST_UNKNOWN'));
  await expect(k8s.upstream.manifest(pause, tagged('3.9'))).rejects.toMatchObject({ failure: 'absent' });
});

test('what the target denies by a registry error is denied', async () => {
  await using k8s = await startK8s();
  k8s.on('GET', `${target}/manifests/3.9`).at(GAR).reply(registryError(403, 'DENIED'));
  await expect(k8s.upstream.manifest(pause, tagged('3.9'))).rejects.toMatchObject({ failure: 'denied' });
});

test('blobs are redirected to a bucket of the region', async () => {
  await using k8s = await startK8s();
  k8s
    .on('GET', `/v2/pause/blobs/${LAYER_DIGEST}`)
    .at(K8S)
    .reply(redirect(k8s.url(S3, `/containers/images/${LAYER_DIGEST}`)));
  k8s
    .on('GET', `/containers/images/${LAYER_DIGEST}`)
    .at(S3)
    .withHeader('range', 'bytes=9-')
    .reply(bytes(LAYER));
  const blob = await k8s.upstream.blob(pause, LAYER_DIGEST, { range: { start: 9 } });
  expect(blob).toMatchObject({ start: 9, size: LAYER.length });
  expect((await readBlob(blob)).equals(LAYER.subarray(9))).toBe(true);
});

test('a target that challenges is no object store, whose URL would be asked for again', async () => {
  await using k8s = await startK8s();
  const refusal = status(401, { headers: { 'www-authenticate': 'Negotiate' }, body: '<html>' });
  k8s.on('GET', `${target}/manifests/3.9`).at(GAR).once().reply(refusal);
  k8s.on('GET', '/v2/').at(GAR).once().reply(refusal);
  const failed = { failure: 'unavailable', reason: 'status', isVerdict: false };
  await expect(k8s.upstream.manifest(pause, tagged('3.9'))).rejects.toMatchObject(failed);
});
