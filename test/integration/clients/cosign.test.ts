/**
 * cosign and what verifies at admission (policy-controller, Kyverno, Connaisseur): tags made of digests that mostly
 * do not exist, asked for with every pod, and a signature that must be found soon after it was pushed.
 */
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import type { StoredImage } from '../../support/fake-registry.ts';
import { MINUTE } from '../../support/mirror-fixture.ts';

const ACCEPT = [
  MediaType.dockerManifest,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.ociIndex,
].join(',');

const REPOSITORY = '/v2/ghcr.io/acme/app';
const NEGATIVE_TTL = 30_000;
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

function cosignOf(world: ClientWorld): WireClient {
  const userAgent = 'cosign/v3.0.2 (linux; amd64) go-containerregistry/v0.20.6';
  return world.client({ 'user-agent': userAgent, 'accept-encoding': 'gzip' });
}

function tagOf(digest: Digest, kind: 'sig' | 'att' | 'sbom'): string {
  return `${digest.replace(':', '-')}.${kind}`;
}

function pathOf(digest: Digest, kind: 'sig' | 'att' | 'sbom'): string {
  return `${REPOSITORY}/manifests/${tagOf(digest, kind)}`;
}

function putImage(world: ClientWorld): StoredImage {
  return world.registry('ghcr.io').putImage('acme/app', '1');
}

/** Signs as cosign does without bundles: one layer a signature. */
function sign(world: ClientWorld, { digest }: StoredImage, signers: readonly string[]): StoredImage {
  const layers = signers.map((signer) => Buffer.from(`{"critical":{"signer":"${signer}"}}`));
  return world
    .registry('ghcr.io')
    .putImage('acme/app', tagOf(digest, 'sig'), { layers, config: { signers } });
}

describe('an image that nobody has signed', () => {
  test('every pod asks for three tags that are not there: upstream is asked for each once in negativeTtl', async () => {
    await using world = await startClientWorld();
    const { digest } = putImage(world);
    const cosign = cosignOf(world);
    for (let pods = 0; pods < 5; pods += 1) {
      for (const kind of ['sig', 'att', 'sbom'] as const) {
        const answer = await cosign.get(pathOf(digest, kind), { accept: ACCEPT });
        expect(answer.status).toBe(404);
        expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
      }
    }
    expect(requestsOf(world.registry('ghcr.io'))).toEqual(
      // Only the document that GET brings is the registry's word.
      (['sig', 'att', 'sbom'] as const).flatMap((kind) =>
        ['HEAD', 'GET'].map((method) => `${method} /v2/acme/app/manifests/${tagOf(digest, kind)}`),
      ),
    );
    expect(cosign.connections).toBe(1);
  });

  test('a deployment of a hundred pods at once is one question', async () => {
    await using world = await startClientWorld();
    const { digest } = putImage(world);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => cosignOf(world).get(pathOf(digest, 'sig'), { accept: ACCEPT })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect(world.registry('ghcr.io').requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  test('what one repository lacks says nothing of another, nor of another registry', async () => {
    await using world = await startClientWorld();
    const image = putImage(world);
    const cosign = cosignOf(world);
    const tag = tagOf(image.digest, 'sig');
    expect((await cosign.get(pathOf(image.digest, 'sig'), { accept: ACCEPT })).status).toBe(404);
    world.registry('ghcr.io').putImage('acme/signatures', tag);
    world.hub.putImage('acme/app', tag);
    for (const name of ['ghcr.io/acme/signatures', 'docker.io/acme/app']) {
      const answer = await cosign.get(`/v2/${name}/manifests/${tag}`, { accept: ACCEPT });
      expect([name, answer.status]).toEqual([name, 200]);
    }
  });
});

describe('a signature that is pushed after it was looked for', () => {
  test('is found when negativeTtl is over, with the payload that it refers to', async () => {
    await using world = await startClientWorld();
    const image = putImage(world);
    const cosign = cosignOf(world);
    const path = pathOf(image.digest, 'sig');
    expect((await cosign.get(path, { accept: ACCEPT })).status).toBe(404);
    const signature = sign(world, image, ['alice']);
    world.mirror.clock.advance(NEGATIVE_TTL - 1);
    expect((await cosign.get(path, { accept: ACCEPT })).status).toBe(404);
    world.mirror.clock.advance(1);
    expect(identityOf(await cosign.get(path, { accept: ACCEPT }))).toEqual(wholeOf(signature.descriptor));
    for (const descriptor of [signature.config, ...signature.layers]) {
      const answer = await cosign.get(`${REPOSITORY}/blobs/${descriptor.digest}`);
      expect(identityOf(answer)).toEqual(wholeOf(descriptor));
    }
  });

  test('as a bundle is found by its artifact type, within the same time', async () => {
    await using world = await startClientWorld();
    const image = putImage(world);
    const cosign = cosignOf(world);
    const path = `${REPOSITORY}/referrers/${image.digest}?artifactType=${encodeURIComponent(BUNDLE)}`;
    const digests = async (): Promise<string[]> => {
      const answer = await cosign.get(path);
      expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
      const { manifests } = JSON.parse(answer.body.toString()) as { manifests: { digest: string }[] };
      return manifests.map(({ digest }) => digest);
    };
    expect(await digests()).toEqual([]);
    const ghcr = world.registry('ghcr.io');
    const subject = image.descriptor;
    ghcr.putImage('acme/app', undefined, { subject, artifactType: 'application/spdx+json' });
    const bundle = ghcr.putImage('acme/app', undefined, { subject, artifactType: BUNDLE });
    world.mirror.clock.advance(NEGATIVE_TTL);
    expect(await digests()).toEqual([bundle.digest]);
  });

  test('by a second signer moves the tag: both are seen once its time to live is over', async () => {
    await using world = await startClientWorld();
    const image = putImage(world);
    const cosign = cosignOf(world);
    const path = pathOf(image.digest, 'sig');
    const first = sign(world, image, ['alice']);
    expect(identityOf(await cosign.get(path, { accept: ACCEPT }))).toEqual(wholeOf(first.descriptor));
    const both = sign(world, image, ['alice', 'bob']);
    world.mirror.clock.advance(5 * MINUTE);
    expect(identityOf(await cosign.get(path, { accept: ACCEPT }))).toEqual(wholeOf(both.descriptor));
  });
});

describe('with upstream gone', () => {
  test('an image does not look unsigned: that it cannot be told is an error, and it is not remembered', async () => {
    await using world = await startClientWorld();
    const image = putImage(world);
    const signature = sign(world, image, ['alice']);
    const ghcr = world.registry('ghcr.io');
    ghcr.down();
    const cosign = cosignOf(world);
    expect((await cosign.get(pathOf(image.digest, 'sig'), { accept: ACCEPT })).status).toBe(502);
    expect((await cosign.get(`${REPOSITORY}/referrers/${image.digest}`)).status).toBe(502);
    ghcr.up();
    const found = await cosign.get(pathOf(image.digest, 'sig'), { accept: ACCEPT });
    expect(identityOf(found)).toEqual(wholeOf(signature.descriptor));
  });

  test('a signature that is cached goes on being verified', async () => {
    await using world = await startClientWorld();
    const image = putImage(world);
    const signature = sign(world, image, ['alice']);
    const cosign = cosignOf(world);
    const verify = async (): Promise<void> => {
      const found = await cosign.get(pathOf(image.digest, 'sig'), { accept: ACCEPT });
      expect(identityOf(found)).toEqual(wholeOf(signature.descriptor));
      for (const layer of signature.layers) {
        const payload = await cosign.get(`${REPOSITORY}/blobs/${layer.digest}`);
        expect(identityOf(payload)).toEqual(wholeOf(layer));
      }
    };
    await verify();
    world.registry('ghcr.io').down();
    world.mirror.clock.advance(24 * 60 * MINUTE);
    await verify();
  });
});
