import { expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { digestOf } from '../../oci/digest.ts';
import type { BlobStore, Expected, Ingest } from '../../store/blob-store.ts';
import { StoreError } from '../../store/error.ts';
import { FillClients } from '../fill-clients.ts';
import { Fill } from './fill.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
const FULL = new StoreError('write a blob', { code: 'ENOSPC' });

/** Returns a store that passes each of its ingests through `change`. */
function ingesting(change: (ingest: Ingest) => void): (store: BlobStore) => Partial<BlobStore> {
  return (store) => ({
    async ingest(expected: Expected) {
      const ingest = await store.ingest(expected);
      change(ingest);
      return ingest;
    },
  });
}

/** Returns a disk that takes a number of pieces, and then is full. */
function fullAfter(pieces: number): (store: BlobStore) => Partial<BlobStore> {
  return ingesting((ingest) => {
    const write = ingest.write.bind(ingest);
    let left = pieces;
    ingest.write = async (chunks) => {
      left -= 1;
      if (left >= 0) return write(chunks);
      await ingest.abort(FULL);
      throw FULL;
    };
  });
}

test('a client that gets no reader from the store does not count as a follower', async () => {
  const failure = new StoreError('open a blob', { code: 'EMFILE' });
  const store = ingesting((ingest) => {
    ingest.follow = () => Promise.reject(failure);
  });
  await using cache = await MemoryCache.open({ store });
  const audience = new FillClients();
  const fill = new Fill(new HeldUpstream(BYTES.length).target(), DIGEST, audience, cache);
  await fill.opened;
  await expect(fill.follow('client')).rejects.toBe(failure);
  expect([fill.followers, audience.client]).toEqual([0, undefined]);
  fill.cancel();
  await fill.ended;
});

test('a client that follows a blob of which the store takes no byte gets a reader that fails', async () => {
  await using cache = await MemoryCache.open({ store: fullAfter(0) });
  const upstream = new HeldUpstream(BYTES.length);
  const audience = new FillClients();
  audience.enter('client');
  const fill = new Fill(upstream.target(), DIGEST, audience, cache);
  await fill.opened;
  upstream.bodies[0]?.push([BYTES.subarray(0, 1)]);
  await fill.settled;
  const reader = await fill.follow('client');
  expect(reader.size).toBe(BYTES.length);
  await expect(reader.available(0)).rejects.toBe(FULL);
  await reader.close();
  fill.cancel();
  await fill.ended;
});

test('a client that follows a blob of which the store has taken only a part gets no reader', async () => {
  await using cache = await MemoryCache.open({ store: fullAfter(1) });
  const upstream = new HeldUpstream(BYTES.length);
  const audience = new FillClients();
  audience.enter('client');
  const fill = new Fill(upstream.target(), DIGEST, audience, cache);
  await fill.opened;
  upstream.bodies[0]?.push([BYTES.subarray(0, 1)]);
  upstream.bodies[0]?.push([BYTES.subarray(1, 2)]);
  await fill.settled;
  await expect(fill.follow('client')).rejects.toBe(FULL);
  fill.cancel();
  await fill.ended;
});
