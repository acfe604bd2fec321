import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ContentIndex } from '../index/content-index.ts';
import { digestOf } from '../oci/digest.ts';
import { createMemoryStore } from '../store/memory.ts';
import { recordOrDrop } from './record-or-drop.ts';

const BYTES = Buffer.from('layer');
const DIGEST = digestOf(BYTES);
const FULL = new Error('the index is full');

async function start(blob: () => Promise<unknown>) {
  const store = createMemoryStore();
  await using ingest = await store.ingest({ digest: DIGEST });
  await ingest.write([BYTES]);
  await ingest.commit();
  return { store, index: { blob } as unknown as ContentIndex };
}

test('bytes that are recorded stay', async () => {
  const world = await start(() => Promise.resolve(undefined));
  await recordOrDrop(world, DIGEST, () => Promise.resolve());
  expect(await world.store.stat(DIGEST)).toBeDefined();
});

test.each([
  ['without a row are deleted', () => Promise.resolve(undefined), undefined],
  ['whose row cannot be looked up are deleted', () => Promise.reject(FULL), undefined],
  ['that had a row before stay', () => Promise.resolve({ size: 5 }), { digest: DIGEST, size: 5 }],
])('if recording fails, bytes %s', async (_, blob, left) => {
  const world = await start(blob);
  await expect(recordOrDrop(world, DIGEST, () => Promise.reject(FULL))).rejects.toBe(FULL);
  expect(await world.store.stat(DIGEST)).toEqual(left);
});

test('the failure of recording is passed on once the bytes are gone', async () => {
  const { store, index } = await start(() => Promise.resolve(undefined));
  const deleting = Promise.withResolvers<boolean>();
  const slow = { ...store, delete: () => deleting.promise };
  let told: unknown;
  const recording = recordOrDrop({ store: slow, index }, DIGEST, () => Promise.reject(FULL)).catch(
    (error: unknown) => {
      told = error;
    },
  );
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  expect(told).toBeUndefined();
  deleting.resolve(true);
  await recording;
  expect(told).toBe(FULL);
});
