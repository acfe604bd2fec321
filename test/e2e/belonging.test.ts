import { expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder } from '../support/e2e/larder.ts';
import { pusher } from '../support/e2e/push.ts';
import { contentRequests } from '../support/e2e/upstream-requests.ts';

const { app, storage } = inject('stock');
const [layer] = app.layers.map((each) => each.descriptor);
if (layer === undefined) throw new Error('the image has a layer');

test('a blob cached through one repository is not another’s until upstream says so', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await pusher(registry.directUrl, 'team/other').blob(Buffer.from('something else'));
  await using mirror = await larder({
    negativeTtl: '0s',
    upstreams: { 'registry.example.test': { url: registry.url } },
  });
  const base = `${mirror.url}/v2/registry.example.test/team`;
  await ask(`${base}/app/manifests/1`);
  await ask(`${base}/app/blobs/${layer.digest}`);
  const other = `${base}/other/blobs/${layer.digest}`;

  registry.proxy.clear();
  const before = await ask(other);
  expect(before.status).toBe(404);
  expect(JSON.parse(before.body.toString())).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
  expect(registry.proxy.requests.map((request) => request.path)).toContain(
    `/v2/team/other/blobs/${layer.digest}`,
  );

  await pusher(registry.directUrl, 'team/other').mount(layer.digest, 'team/app');
  registry.proxy.clear();
  expect(await ask(other)).toMatchObject({ status: 200, complete: true, digest: layer.digest });
  const sent = registry.proxy.requests.reduce((bytes, request) => bytes + request.bytes, 0);
  expect(registry.proxy.requests).not.toEqual([]);
  expect(sent, 'upstream confirms, the bytes come from disk').toBeLessThan(layer.size / 10);

  registry.proxy.clear();
  expect(await ask(other)).toMatchObject({ status: 200, digest: layer.digest });
  expect(contentRequests(registry.proxy.requests)).toEqual([]);
});

test('a blob cached from one registry is not another registry’s', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using empty = await dockerRegistry();
  await using mirror = await larder({
    upstreams: {
      'registry.example.test': { url: registry.url },
      'empty.example.test': { url: empty.url },
    },
  });
  await ask(`${mirror.url}/v2/registry.example.test/team/app/manifests/1`);
  await ask(`${mirror.url}/v2/registry.example.test/team/app/blobs/${layer.digest}`);

  const blob = await ask(`${mirror.url}/v2/team/app/blobs/${layer.digest}?ns=empty.example.test`);
  const manifest = await ask(
    `${mirror.url}/v2/team/app/manifests/${app.manifest.digest}?ns=empty.example.test`,
  );

  expect([blob.status, manifest.status]).toEqual([404, 404]);
  expect(empty.proxy.connections()).toBeGreaterThan(0);
});
