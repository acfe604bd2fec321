import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { digestOf } from '../../oci/digest.ts';
import { readWhole } from '../../store/read-whole.ts';
import { BlobPuller } from './blob-puller.ts';
import { HIT } from '../../repository/outcome.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
const MiB = 1024 * 1024;
const WHOLE = { range: undefined, client: 'client' };

test('HEAD of stored bytes that may not be served on a word is asked of upstream', async () => {
  await using cache = await MemoryCache.open();
  await cache.keep(DIGEST, BYTES);
  const upstream = new HeldUpstream(BYTES.length);
  const stat = await new BlobPuller(cache).stat(upstream.target(), DIGEST, 'client');
  expect(stat).toEqual({ size: BYTES.length, outcome: { hit: false, fwd: 'uri-miss' } });
  expect(upstream.questions).toBe(1);
});

test('HEAD of a blob that is being fetched for the repository is answered by its fill', async () => {
  await using cache = await MemoryCache.open();
  const upstream = new HeldUpstream(BYTES.length);
  const blobs = new BlobPuller(cache);
  const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
  const stat = await blobs.stat(upstream.target(), DIGEST, 'other client');
  expect(stat).toEqual({ size: BYTES.length, outcome: HIT });
  expect(upstream.questions).toBe(0);
  await reader.close();
  await blobs.close();
});

test('a fill of unknown size is asked about for another repository once it has ended', async () => {
  await using cache = await MemoryCache.open();
  const upstream = new HeldUpstream(undefined, BYTES.length);
  const blobs = new BlobPuller(cache);
  const first = await blobs.open(upstream.target(), DIGEST, WHOLE);
  const opening = blobs.open(upstream.target('acme/other'), DIGEST, WHOLE);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect(upstream.questions).toBe(0);
  upstream.bodies[0]?.push([BYTES]);
  upstream.bodies[0]?.push(null);
  const second = await opening;
  expect(Buffer.from(await readWhole(second.reader))).toEqual(BYTES);
  expect([upstream.questions, upstream.asked]).toEqual([1, [undefined]]);
  await first.reader.close();
});

test('a part far ahead of the fill is fetched by itself', async () => {
  await using cache = await MemoryCache.open();
  const upstream = new HeldUpstream(40 * MiB);
  const blobs = new BlobPuller(cache);
  const whole = await blobs.open(upstream.target(), DIGEST, WHOLE);
  const range = { kind: 'slice', start: 20 * MiB, end: 20 * MiB + 10 } as const;
  const part = await blobs.open(upstream.target(), DIGEST, { range, client: 'client' });
  expect(part.outcome).toMatchObject({ detail: 'range far ahead of the fill' });
  expect(upstream.asked).toEqual([undefined, { start: range.start, end: range.end }]);
  await Promise.all([whole, part].map(({ reader }) => reader.close()));
  await blobs.close();
});
