import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import type { Larder } from '../support/e2e/larder.ts';
import { until } from '../support/e2e/until.ts';
import { get } from '../support/http-get.ts';
import { larderWorld } from '../support/larder-world.ts';

const BLOBS = 100_000;
const AGREED = 'index and disk agree';

test('with 100,000 blobs and no index, serving begins before they are known', async () => {
  await using world = await larderWorld();
  const image = world.registry.putImage('acme/app', '1');
  mkdirSync(dirname(world.pathOf(digestOf(''))), { recursive: true });
  for (let number = 0; number < BLOBS; number += 1) {
    writeFileSync(world.pathOf(digestOf(`blob ${number}`)), '');
  }
  await using server = await world.serve();
  const first = await get(new URL(server.url), '/v2/acme/app/manifests/1');
  const known = (await server.metrics()).get('larder_store_blobs');
  expect([first.status, first.body.equals(image.bytes)]).toEqual([200, true]);
  expect(known).toBeLessThan(BLOBS);
  await agreed(server);
  expect((await server.metrics()).get('larder_store_blobs')).toBe(BLOBS + 1);
  // Now that they are, a start still does not wait for looking through them.
  await server.stop();
  await using again = await world.serve();
  const second = await get(new URL(again.url), '/v2/acme/app/manifests/1');
  expect(second.headers['cache-status']).toMatch(/^larder; hit/);
  expect(again.process.stdout()).not.toContain(AGREED);
  await agreed(again);
});

async function agreed(server: Larder): Promise<void> {
  const isSaid = (): true | undefined => (server.process.stdout().includes(AGREED) ? true : undefined);
  await until('index and disk agree', isSaid, 120_000);
}
