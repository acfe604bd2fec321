import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { larderWorld, REGISTRY } from '../../support/larder-world.ts';

it('a server pulls by itself what its configuration lists, so that a client gets it with upstream down', async () => {
  await using world = await larderWorld({ warm: [{ every: '1h', refs: [`${REGISTRY}/acme/app:1`] }] });
  const image = world.registry.putImage('acme/app', '1', { layers: [randomBytes(100_000)] });
  await using server = await world.serve();
  const { registry } = world;
  await expect.poll(() => registry.count({ kind: 'blob', method: 'GET' }), { timeout: 20_000 }).toBe(2);
  await expect
    .poll(async () => (await world.run('ls', 'acme/app')).stdout, { timeout: 20_000 })
    .toMatch(/ 3  9/);
  registry.down();
  for (const path of [`manifests/1`, `manifests/${image.digest}`, `blobs/${image.layers[0]?.digest ?? ''}`])
    expect((await fetch(`${server.url}/v2/acme/app/${path}`)).status).toBe(200);
});
