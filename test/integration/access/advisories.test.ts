/**
 * Published weaknesses of other registries and clients that let a reader get what is not for it, or make the server
 * work for it: each, by its name, on a mirror that is closed in part. Those of the way to an upstream are in
 * `test/integration/upstream/realms.test.ts` and `dist.test.ts`; that of a token with a key of its own is beside
 * `src/access/bearer/`.
 */
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { accessWorld, as, CLIENTS, type AccessWorld } from '../../support/access-world.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import type { ReceivedAnswer } from '../../support/http-get.ts';
import { withHeaders } from '../../support/scripted-reply.ts';

/** Asks as one who may pull from acme's repositories. */
function pull({ mirror }: AccessWorld, path: string): Promise<ReceivedAnswer> {
  return mirror.get(`/ghcr.io/v2/acme/app/${path}`, { headers: as('alice') });
}

test('CVE-2024-39897 (zot): a blob that is stored once for all repositories is served only where it belongs', async () => {
  await using world = await accessWorld();
  const { digest } = world.images.acme.config;
  expect((await pull(world, `blobs/${digest}`)).status).toBe(200);
  for (const path of [
    `/docker.io/v2/library/debian/blobs/${digest}`,
    `/ghcr.io/v2/other/app/blobs/${digest}`,
  ]) {
    expect((await world.mirror.get(path, { headers: as('olga') })).status).toBe(404);
  }
});

test('CVE-2026-35172 (distribution): a blob that was removed comes back from no memory', async () => {
  await using world = await accessWorld();
  const { mirror, ghcr, images } = world;
  const { digest } = images.acme.config;
  await mirror.operator.remove('ghcr.io/acme/app:1');
  ghcr.deleteDigest('acme/app', digest);
  expect((await pull(world, `blobs/${digest}`)).status).toBe(404);
});

test('CVE-2021-41190 (OCI): a document that is an image to one reader and an index to another is not served', async () => {
  await using world = await accessWorld();
  const { descriptor, config, layers } = world.images.acme;
  const document = { schemaVersion: 2, config, layers, manifests: [descriptor] };
  for (const [tag, type] of [
    ['as-image', MediaType.ociManifest],
    ['as-index', MediaType.ociIndex],
  ] as const) {
    world.ghcr.putManifest('acme/app', tag, document, type);
    expect((await pull(world, `manifests/${tag}`)).status).toBe(502);
  }
});

test('CVE-2024-3727 (containers/image): a digest that is a path is none, in a request and in a manifest', async () => {
  await using world = await accessWorld();
  for (const digest of ['sha256:..%2F..%2Fother%2Fapp', 'sha256:../../other/app', '..%2F..%2Fsecret']) {
    const { status } = await pull(world, `blobs/${digest}`);
    expect([400, 404]).toContain(status);
  }
  const layers = [{ mediaType: 'application/x', digest: 'sha256:../../../other/app', size: 1 }];
  world.ghcr.putManifest('acme/app', 'evil', { schemaVersion: 2, config: world.images.acme.config, layers });
  const requests = world.ghcr.requests.length;
  await pull(world, 'manifests/evil');
  const paths = world.ghcr.requests.slice(requests).map(({ path }) => path);
  expect(paths.filter((path) => !path.startsWith('/v2/acme/app/manifests/'))).toEqual([]);
});

test('CVE-2023-2253 (distribution): the catalog allocates nothing for the number that the client asks for', async () => {
  await using world = await accessWorld();
  const { mirror, calls } = world;
  calls.names.length = 0;
  expect((await mirror.get('/v2/_catalog?n=999999999999999')).status).toBe(200);
  expect(calls.names).toEqual(['index.repositories']);
  for (const n of ['-1', '1e9', '9999999999999999999']) {
    expect((await mirror.get(`/v2/_catalog?n=${n}`)).status).toBe(400);
  }
});

test('CVE-2026-41888 (distribution), CVE-2026-31801 (zot): no client deletes or overwrites, whatever it may read', async () => {
  await using world = await accessWorld();
  const before = await pull(world, 'manifests/1');
  for (const client of ['anonymous', ...Object.keys(CLIENTS)] as const) {
    for (const method of ['DELETE', 'PUT', 'POST', 'PATCH']) {
      const { status } = await world.mirror.get('/ghcr.io/v2/acme/app/manifests/1', {
        method,
        headers: as(client as 'alice'),
      });
      expect(status, `${method} as ${client}`).toBe(405);
    }
  }
  expect((await pull(world, 'manifests/1')).body.equals(before.body)).toBe(true);
});

test('CVE-2020-15157 (containerd): an address in a manifest is never asked', async () => {
  await using world = await accessWorld();
  await using elsewhere = await startFakeRegistry();
  const content = Buffer.from('a foreign layer');
  const url = new URL(`/v2/any/blobs/${digestOf(content)}`, elsewhere.url).href;
  elsewhere.putBlob('any', content);
  const layer = { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: [url] };
  const layers = [{ ...layer, digest: digestOf(content), size: content.length }];
  world.ghcr.putManifest('acme/app', 'foreign', {
    schemaVersion: 2,
    config: world.images.acme.config,
    layers,
  });
  expect((await pull(world, 'manifests/foreign')).status).toBe(200);
  expect((await pull(world, `blobs/${digestOf(content)}`)).status).toBe(404);
  expect(elsewhere.requests).toEqual([]);
});

test('CVE-2026-85732 (oras): the next page of a list is asked of the registry itself, whatever its Link says', async () => {
  await using world = await accessWorld();
  await using elsewhere = await startFakeRegistry();
  const link = `<${new URL('/v2/acme/app/tags/list?last=1&n=1', elsewhere.url).href}>; rel="next"`;
  world.ghcr.fault({ kind: 'tags', times: 1 }, withHeaders({ link }));
  expect((await pull(world, 'tags/list')).status).toBe(200);
  expect(world.ghcr.count({ kind: 'tags' })).toBe(2);
  expect(elsewhere.requests).toEqual([]);
});
