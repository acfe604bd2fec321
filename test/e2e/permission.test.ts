import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { MediaType } from '../../src/oci/media-type.ts';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { dockerd } from '../support/e2e/dockerd.ts';
import { hashedFiles } from '../support/e2e/hash.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';
import { pusher } from '../support/e2e/push.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const { app, storage } = inject('stock');
const [layer] = app.layers.map((each) => each.descriptor);
if (layer === undefined) throw new Error('the image has a layer');

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const NON_DISTRIBUTABLE = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';

describe('a registry that takes manifests with urls', () => {
  test.each([
    ['foreign', MediaType.dockerManifest, FOREIGN, 'application/vnd.docker.container.image.v1+json'],
    [
      'non-distributable',
      MediaType.ociManifest,
      NON_DISTRIBUTABLE,
      'application/vnd.oci.image.config.v1+json',
    ],
  ])(
    'lets nobody read through a %s layer what another repository has',
    async (_, mediaType, type, config) => {
      await using registry = await dockerRegistry({ stock: storage, takesUrls: true });
      const attacker = pusher(registry.directUrl, 'team/attack');
      const own = await attacker.blob(Buffer.from('{}'), config);
      // Whatever a digest is: a layer, a config, a whole image.
      const layers = [layer, app.config, app.manifest].map(({ digest, size }) => ({
        mediaType: type,
        digest,
        size,
        urls: ['https://cdn.example.test/layer'],
      }));
      const document = JSON.stringify({ schemaVersion: 2, mediaType, config: own, layers });
      const { digest } = await attacker.manifest(document, mediaType, 'x');
      expect((await ask(`${registry.directUrl}/v2/team/attack/blobs/${layer.digest}`)).status).toBe(404);
      await using cache = await temporaryDirectory('cache');
      const upstreams = { 'registry.example.test': { url: registry.url } };
      const options = { cacheDirectory: join(cache.path, 'cache') };
      {
        await using mirror = await larder({ upstreams, negativeTtl: '0s' }, options);
        const base = `${mirror.url}/v2/registry.example.test/team`;
        for (const path of ['manifests/1', `blobs/${app.config.digest}`, `blobs/${layer.digest}`]) {
          expect((await ask(`${base}/app/${path}`)).status).toBe(200);
        }
        for (const reference of ['x', digest]) {
          const accept = { headers: { accept: mediaType } };
          expect((await ask(`${base}/attack/manifests/${reference}`, accept)).status).toBe(200);
        }
        await expectNothing(`${base}/attack`);
      }
      await using again = await larder({ upstreams, negativeTtl: '0s' }, options);
      await expectNothing(`${again.url}/v2/registry.example.test/team/attack`);
      const theirs = await ask(`${again.url}/v2/registry.example.test/team/app/blobs/${layer.digest}`);
      expect(theirs).toMatchObject({ status: 200, digest: layer.digest });
    },
  );
});

/** Of the image that another repository has, by every way of asking. */
async function expectNothing(repository: string): Promise<void> {
  const paths = [layer?.digest, app.config.digest, app.manifest.digest].map((digest) => `blobs/${digest}`);
  for (const path of [...paths, `manifests/${app.manifest.digest}`]) {
    const url = `${repository}/${path}`;
    const answers = [
      await ask(url),
      await ask(url, { method: 'HEAD' }),
      await ask(url, { headers: { range: 'bytes=0-99' } }),
    ];
    expect([path, ...answers.map(({ status }) => status)]).toEqual([path, 404, 404, 404]);
  }
  const referrers = await ask(`${repository}/referrers/${app.manifest.digest}`);
  expect(JSON.parse(referrers.body.toString())).toMatchObject({ manifests: [] });
}

describe('an image that shares its base is whole without its registry, though no client has asked for the base', () => {
  /** `library/one` is cached whole, and of `library/two`, on the same base, all but the base. */
  async function cached(): Promise<{ mirror: Larder; digests: readonly string[] }> {
    await using registry = await dockerRegistry({ stock: storage });
    const mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });
    const at = `${registry.directUrl}/v2/team/app`;
    const config = JSON.parse((await ask(`${at}/blobs/${app.config.digest}`)).body.toString()) as object;
    const accept = { headers: { accept: app.manifest.mediaType } };
    const text = (await ask(`${at}/manifests/${app.manifest.digest}`, accept)).body.toString();
    const manifest = JSON.parse(text) as object;
    const images: string[][] = [];
    for (const name of ['one', 'two']) {
      const to = pusher(registry.directUrl, `library/${name}`);
      await to.mount(layer?.digest ?? '', 'team/app');
      const own = await to.blob(
        Buffer.from(JSON.stringify({ ...config, author: name })),
        app.config.mediaType,
      );
      const document = JSON.stringify({ ...manifest, config: own });
      const { digest } = await to.manifest(document, app.manifest.mediaType, '1');
      images.push([digest, own.digest]);
    }
    for (const [name, paths] of [
      ['one', ['manifests/1', `blobs/${images[0]?.[1]}`, `blobs/${layer?.digest}`]],
      ['two', ['manifests/1', `blobs/${images[1]?.[1]}`]],
    ] as const) {
      for (const path of paths) {
        expect((await ask(`${mirror.url}/v2/library/${name}/${path}`, accept)).status).toBe(200);
      }
    }
    await mirror.idle();
    await until('all is confirmed', async () =>
      (await mirror.metrics()).get('larder_confirmations_waiting{upstream="docker.io"}') === 0
        ? true
        : undefined,
    );
    return { mirror, digests: [...(images[1] ?? []), layer?.digest ?? ''] };
  }

  test('skopeo', async () => {
    const { mirror, digests } = await cached();
    await using _ = mirror;
    await using target = await temporaryDirectory('skopeo');
    const options = ['--quiet', '--src-tls-verify=false', '--preserve-digests'];
    const source = `docker://${mirror.host}/library/two:1`;
    await run('skopeo', ['copy', ...options, source, `oci:${join(target.path, 'layout')}`]);
    expect(await hashedFiles(join(target.path, 'layout/blobs/sha256'))).toEqual([...digests].sort());
  });

  test('containerd', async () => {
    const { mirror, digests } = await cached();
    await using _ = mirror;
    await using engine = await containerd({ 'docker.io': mirror.url });
    await engine.pull('docker.io/library/two:1');
    expect(await engine.hashedContent(digests)).toEqual(digests);
  });

  test('dockerd', async () => {
    const { mirror, digests } = await cached();
    await using _ = mirror;
    await using engine = await dockerd(mirror.url);
    await engine.docker('pull', 'two:1');
    expect((await engine.docker('images', '--no-trunc', '--quiet')).trim()).toBe(digests[1]);
  });
});
