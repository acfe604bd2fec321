import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessWorld, as, type AccessWorld, type Client } from '../../support/access-world.ts';

let world: AccessWorld;

beforeAll(async () => {
  world = await accessWorld();
  const { ghcr, images, mirror } = world;
  // A signature of the private image, which its list of referrers names.
  ghcr.putImage('acme/app', undefined, {
    subject: images.acme.descriptor,
    artifactType: 'application/x.sig',
  });
  await mirror.get(`/ghcr.io/v2/acme/app/referrers/${images.acme.digest}`, { headers: as('alice') });
});
afterAll(() => world[Symbol.asyncDispose]());

const LAYER = 'a layer of acme';
const OTHERS: readonly Client[] = ['anonymous', 'bob', 'olga', 'for-debian', 'wrong'];

/** Returns the digests of the private image: manifest, config, layer. */
function digests(): { manifest: string; config: string; layer: string } {
  const { acme } = world.images;
  const [layer] = acme.layers;
  return { manifest: acme.digest, config: acme.config.digest, layer: layer?.digest ?? '' };
}

/** Expects that the client gets nothing of the image, whether it is told so by a refusal or by an empty list. */
async function expectNothing(path: string, client: Client, more: Record<string, string> = {}): Promise<void> {
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, body } = await world.mirror.get(path, {
      method,
      headers: { ...more, ...as(client) },
    });
    const isEmptyList = status === 200 && path.includes('/referrers/');
    expect([401, 404].includes(status) || isEmptyList, `${method} ${path} as ${client}: ${status}`).toBe(
      true,
    );
    expect(body.toString()).not.toMatch(/a layer of acme|x\.sig|rootfs/);
    expect(headers['docker-content-digest']).toBeUndefined();
    expect(headers['etag']).toBeUndefined();
  }
}

test('the one for whom it is cached gets it', async () => {
  const { manifest, layer } = digests();
  const get = async (path: string): Promise<string> =>
    (await world.mirror.get(`/ghcr.io/v2/acme/app/${path}`, { headers: as('alice') })).body.toString();
  expect(await get(`blobs/${layer}`)).toBe(LAYER);
  expect(await get(`manifests/${manifest}`)).toContain(layer);
  expect(await get(`referrers/${manifest}`)).toContain('x.sig');
});

describe.each(OTHERS)('%s does not get the private image that is cached', (client) => {
  const base = '/ghcr.io/v2/acme/app';

  test('by its tag, its digest, or the digests of its blobs', async () => {
    const { manifest, config, layer } = digests();
    await expectNothing(`${base}/manifests/1`, client);
    await expectNothing(`${base}/manifests/${manifest}`, client);
    await expectNothing(`${base}/blobs/${config}`, client);
    await expectNothing(`${base}/blobs/${layer}`, client);
  });

  test('by a range, or by knowing its ETag', async () => {
    const { manifest, layer } = digests();
    await expectNothing(`${base}/blobs/${layer}`, client, { Range: 'bytes=0-3' });
    await expectNothing(`${base}/blobs/${layer}`, client, { 'If-None-Match': `"${layer}"` });
    await expectNothing(`${base}/manifests/1`, client, { 'If-None-Match': `"${manifest}"` });
  });

  test('by its tags, its referrers, or the catalog', async () => {
    await expectNothing(`${base}/tags/list`, client);
    await expectNothing(`${base}/referrers/${digests().manifest}`, client);
    const { body } = await world.mirror.get('/v2/_catalog', { headers: as(client) });
    expect(body.toString()).not.toContain('acme');
  });

  test.each(['/docker.io/v2/library/debian', '/docker.io/v2/acme/app', '/ghcr.io/v2/other/app'])(
    'by the path of another repository, %s',
    async (other) => {
      const { manifest, config, layer } = digests();
      await expectNothing(`${other}/manifests/${manifest}`, client);
      await expectNothing(`${other}/blobs/${config}`, client);
      await expectNothing(`${other}/blobs/${layer}`, client);
      await expectNothing(`${other}/blobs/${layer}`, client, { Range: 'bytes=0-3' });
      await expectNothing(`${other}/referrers/${manifest}`, client);
    },
  );
});
