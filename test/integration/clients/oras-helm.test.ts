/**
 * oras and helm (oras-go): no ping, no mirrors; every header is held against the descriptor, to the letter, and
 * links to next pages are followed only to the same origin.
 */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import { chunked, instead, registryError, status, withHeaders } from '../../support/scripted-reply.ts';

/** What a resolve takes: every type that oras knows. */
const RESOLVE_ACCEPT = [
  MediaType.dockerManifest,
  MediaType.dockerList,
  MediaType.ociManifest,
  MediaType.ociIndex,
  MediaType.ociArtifact,
].join(', ');

const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

function orasOf(world: ClientWorld): WireClient {
  return world.client({ 'user-agent': 'oras/1.3.0', 'accept-encoding': 'gzip' });
}

function helmOf(world: ClientWorld): WireClient {
  return world.client({ 'user-agent': 'Helm/4.0.1', 'accept-encoding': 'gzip' });
}

function sha512(content: Uint8Array): Digest {
  return `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;
}

describe('helm pull', () => {
  test('is a resolve by HEAD, and manifest, config and chart by GET, each as long as its descriptor says', async () => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const config = ghcr.putBlob('acme/chart', Buffer.from('{"name":"chart"}'), CHART_CONFIG);
    const chart = ghcr.putBlob('acme/chart', randomBytes(50_000), CHART);
    const manifest = ghcr.putManifest('acme/chart', '1.2.3_build.7', {
      schemaVersion: 2,
      config,
      layers: [chart],
      annotations: { 'org.opencontainers.image.version': '1.2.3+build.7' },
    });
    const helm = helmOf(world);
    const repository = '/v2/ghcr.io/acme/chart';
    const head = await helm.head(`${repository}/manifests/1.2.3_build.7`, { accept: RESOLVE_ACCEPT });
    expect(head.headers).toMatchObject({
      'docker-content-digest': manifest.digest,
      'content-length': String(manifest.bytes.length),
      'content-type': MediaType.ociManifest,
    });
    const fetched = await helm.get(`${repository}/manifests/${manifest.digest}`, {
      accept: MediaType.ociManifest,
    });
    expect(identityOf(fetched)).toEqual(wholeOf(manifest.descriptor));
    for (const descriptor of [config, chart]) {
      const answer = await helm.get(`${repository}/blobs/${descriptor.digest}`);
      expect(identityOf(answer)).toEqual(wholeOf(descriptor));
    }
    expect(helm.connections).toBe(1);
    expect(requestsOf(ghcr)).toHaveLength(4);
  });
});

describe('a manifest fetched with Accept of its one type', () => {
  const documents: Record<string, object> = {
    [MediaType.ociManifest]: {},
    [MediaType.dockerManifest]: {},
    [MediaType.ociIndex]: { manifests: [] },
    [MediaType.dockerList]: { manifests: [] },
    [MediaType.ociArtifact]: { blobs: [], artifactType: 'application/vnd.acme' },
  };

  test.each(Object.entries(documents))('%s: comes back as exactly that type', async (mediaType, members) => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const config = ghcr.putBlob('acme/app', Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
    const image = mediaType.includes('image.manifest') || mediaType === MediaType.dockerManifest;
    const document = { schemaVersion: 2, mediaType, ...members, ...(image && { config, layers: [] }) };
    const stored = ghcr.putManifest('acme/app', '1', document, mediaType);
    const oras = orasOf(world);
    for (const reference of ['1', stored.digest]) {
      const path = `/v2/ghcr.io/acme/app/manifests/${reference}`;
      const head = await oras.head(path, { accept: mediaType });
      const answer = await oras.get(path, { accept: mediaType });
      for (const { headers } of [head, answer]) {
        expect(headers['content-type']).toBe(mediaType);
        expect(headers['content-length']).toBe(String(stored.bytes.length));
        expect(headers['docker-content-digest']).toBe(stored.digest);
      }
      expect(identityOf(answer)).toEqual(wholeOf(stored.descriptor));
    }
  });
});

describe('the digest header is the digest asked by, or oras refuses the answer', () => {
  test.each(['as upstream says', 'where upstream says sha256'])(
    'of a manifest by sha512, %s',
    async (how) => {
      await using world = await startClientWorld();
      const ghcr = world.registry('ghcr.io');
      const image = ghcr.putImage('acme/app', '1');
      if (how.includes('sha256')) {
        ghcr.fault({ kind: 'manifest' }, withHeaders({ 'docker-content-digest': image.digest }));
      }
      const digest = sha512(image.bytes);
      const oras = orasOf(world);
      const path = `/v2/ghcr.io/acme/app/manifests/${digest}`;
      const head = await oras.head(path, { accept: MediaType.ociManifest });
      const answer = await oras.get(path, { accept: MediaType.ociManifest });
      expect(head.headers['docker-content-digest']).toBe(digest);
      expect(identityOf(answer)).toEqual({ ...wholeOf(image.descriptor), dockerContentDigest: digest });
      // The same bytes are still the same manifest by its other digest.
      const other = await oras.get(`/v2/ghcr.io/acme/app/manifests/${image.digest}`);
      expect(identityOf(other)).toEqual(wholeOf(image.descriptor));
    },
  );

  test('of a blob by sha512, by HEAD, GET and Range, cold and warm', async () => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const content = randomBytes(5000);
    const digest = sha512(content);
    const headers = { 'docker-content-digest': digestOf(content) };
    ghcr.fault({ kind: 'blob' }, instead({ status: 200, headers, body: content }));
    const oras = orasOf(world);
    const path = `/v2/ghcr.io/acme/app/blobs/${digest}`;
    for (let i = 0; i < 2; i += 1) {
      const head = await oras.head(path);
      expect(head.headers['docker-content-digest']).toBe(digest);
      expect(head.headers['content-length']).toBe('5000');
      const whole = await oras.get(path);
      expect(whole.headers['docker-content-digest']).toBe(digest);
      expect(whole.body.equals(content)).toBe(true);
      const part = await oras.get(path, { range: 'bytes=4000-' });
      expect([part.status, part.headers['docker-content-digest']]).toEqual([206, digest]);
      expect(part.body.equals(content.subarray(4000))).toBe(true);
    }
  });
});

describe('a blob', () => {
  test('has its length on HEAD although upstream’s HEAD tells none: the manifest has told it', async () => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const image = ghcr.putImage('acme/app', '1', { layers: [randomBytes(3000)] });
    ghcr.fault({ kind: 'blob' }, chunked());
    const oras = orasOf(world);
    await oras.get('/v2/ghcr.io/acme/app/manifests/1', { accept: RESOLVE_ACCEPT });
    for (const { digest, size } of [image.config, ...image.layers]) {
      const path = `/v2/ghcr.io/acme/app/blobs/${digest}`;
      expect((await oras.head(path)).headers['content-length']).toBe(String(size));
      expect(identityOf(await oras.get(path))).toEqual(wholeOf({ digest, size }));
    }
  });

  test('says that it takes ranges, and then answers each with 206, so that oras may seek in it', async () => {
    await using world = await startClientWorld();
    const content = randomBytes(100_000);
    const { digest, size } = world.registry('ghcr.io').putBlob('acme/app', content);
    const oras = orasOf(world);
    const path = `/v2/ghcr.io/acme/app/blobs/${digest}`;
    expect((await oras.head(path)).headers['accept-ranges']).toBe('bytes');
    expect((await oras.get(path)).headers['accept-ranges']).toBe('bytes');
    for (const start of [99_999, 0, 50_000]) {
      const answer = await oras.get(path, { range: `bytes=${start}-${size - 1}` });
      expect(answer.status).toBe(206);
      expect(answer.headers['content-length']).toBe(String(size - start));
      expect(answer.body.equals(content.subarray(start))).toBe(true);
    }
  });
});

describe('referrers', () => {
  const SIGNATURE = 'application/vnd.cncf.notary.signature';

  test.each([
    ['a bare type', withHeaders({})],
    ['a charset', withHeaders({ 'content-type': `${MediaType.ociIndex}; charset=utf-8` })],
  ])('have exactly the type of an index, also where upstream says it with %s', async (_, fault) => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const image = ghcr.putImage('acme/app', '1');
    const signature = ghcr.putImage('acme/app', undefined, {
      subject: image.descriptor,
      artifactType: SIGNATURE,
    });
    ghcr.fault({ kind: 'referrers' }, fault);
    const oras = orasOf(world);
    for (const query of ['', `?artifactType=${encodeURIComponent(SIGNATURE)}`]) {
      const answer = await oras.get(`/v2/ghcr.io/acme/app/referrers/${image.digest}${query}`);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/vnd.oci.image.index.v1+json');
      expect(answer.headers['content-length']).toBe(String(answer.body.length));
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        schemaVersion: 2,
        mediaType: MediaType.ociIndex,
        manifests: [{ digest: signature.digest, artifactType: SIGNATURE }],
      });
    }
  });

  test('are never "unsupported", which oras would believe for as long as it runs, because upstream has no API', async () => {
    await using world = await startClientWorld({ registry: { referrers: false } });
    const image = world.registry('ghcr.io').putImage('acme/app', '1');
    const answer = await orasOf(world).get(`/v2/ghcr.io/acme/app/referrers/${image.digest}`);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, MediaType.ociIndex]);
  });

  test('of a repository that upstream denies are 404 NAME_UNKNOWN, the one 404 that is no "unsupported"', async () => {
    await using world = await startClientWorld();
    world.registry('ghcr.io').fault({}, instead(registryError(403, 'DENIED')));
    const answer = await orasOf(world).get(`/v2/ghcr.io/acme/app/referrers/${digestOf('x')}`);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
  });

  test('while upstream fails are an error, and none is remembered', async () => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const image = ghcr.putImage('acme/app', '1');
    const end = ghcr.fault({}, instead(status(503)));
    const oras = orasOf(world);
    const path = `/v2/ghcr.io/acme/app/referrers/${image.digest}`;
    expect((await oras.get(path)).status).toBe(502);
    end();
    expect((await oras.get(path)).status).toBe(200);
  });
});

describe('the pages of a list', () => {
  const TAGS = Array.from({ length: 25 }, (_, i) => `1.${i}.0_build.${i}`);

  /** What a proxy in front of the mirror may say of where it is. None of it may become a link. */
  const PROXIED = {
    host: 'mirror.example',
    'x-forwarded-host': 'other.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=other.example;proto=https',
  };

  test('are linked to on the origin that was asked, whatever Host says, and hold every version of a chart once', async () => {
    await using world = await startClientWorld();
    const ghcr = world.registry('ghcr.io');
    const chart = ghcr.putImage('acme/chart', undefined);
    for (const tag of TAGS) ghcr.tag('acme/chart', tag, chart.digest);
    const helm = helmOf(world);
    const origin = new URL('https://mirror.example/');
    const seen: string[] = [];
    const asked: URL[] = [];
    let url: URL | undefined = new URL('/v2/ghcr.io/acme/chart/tags/list?n=10', origin);
    while (url !== undefined && asked.length < 10) {
      asked.push(url);
      const answer = await helm.get(`${url.pathname}${url.search}`, PROXIED);
      seen.push(...(JSON.parse(answer.body.toString()) as { tags: string[] }).tags);
      const target = /^<([^>]*)>;\s*rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1];
      url = target === undefined ? undefined : new URL(target, url);
    }
    expect(asked.map((page) => page.origin)).toEqual(Array(3).fill(origin.origin));
    expect(seen).toEqual([...TAGS].sort());
  });
});
