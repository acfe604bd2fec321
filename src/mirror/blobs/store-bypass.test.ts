import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { scriptedBlob, type Transfer } from '../../../test/support/scripted-blob.ts';
import { bytesOf } from '../../../test/support/scripted-reader.ts';
import { createEvents } from '../../events.ts';
import type { RangeSpec, SingleRange } from '../../http/ranges/range.ts';
import { digestOf } from '../../oci/digest.ts';
import type { OpenedBlob } from '../../repository/opened-blob.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { ByteRange } from '../../upstream/upstream.ts';
import { NegativeCache } from '../negative-cache.ts';
import { StoreBypass } from './store-bypass.ts';

const CONTENT = bytesOf(0, 20_000);
const DIGEST = digestOf(CONTENT);
const FULL = new StoreError('begin a blob', { code: 'ENOSPC' });
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');

function slice(start: number, end: number): SingleRange {
  return { kind: 'slice', start, end };
}

function several(...ranges: SingleRange[]): RangeSpec {
  return { kind: 'several', ranges };
}

/** Sets up a blob whose size a manifest tells, unless it is `unknown`. */
function world(transfer: Transfer = {}, size: number | 'unknown' = CONTENT.length) {
  const { target, asked, open: left } = scriptedBlob(CONTENT, [transfer]);
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  const index = { describedSize: async () => (size === 'unknown' ? undefined : size) };
  const pastStore = new StoreBypass({ clock, events: createEvents(), negative, index });
  const open = (range?: RangeSpec): Promise<OpenedBlob> =>
    pastStore.open(target, DIGEST, { range, client: 'client' }, FULL);
  return { open, asked, left };
}

async function read(reader: BlobReader, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  for (let at = start; at < end;) {
    await reader.available(at);
    at += await reader.read(bytes.subarray(at - start), at);
  }
  return bytes;
}

describe('past the store', () => {
  test.each<[string, RangeSpec | undefined, ByteRange | undefined]>([
    ['the whole', undefined, undefined],
    ['a part', slice(1_000, 2_000), { start: 1_000, end: 2_000 }],
    ['the rest from a position', { kind: 'from', start: 1_000 }, { start: 1_000, end: 20_000 }],
    ['the whole, if the part is the whole', { kind: 'from', start: 0 }, undefined],
    ['the whole, if the part lies beyond the end', slice(30_000, 40_000), undefined],
    ['the first of several', several(slice(9, 10), slice(20, 30)), { start: 9, end: 10 }],
    [
      'the whole, if one of several is the whole',
      several({ kind: 'from', start: 0 }, slice(20, 30)),
      undefined,
    ],
  ])('upstream is asked for %s', async (_, range, expected) => {
    const { open, asked, left } = world();
    const { reader, isWhole } = await open(range);
    expect([asked, isWhole]).toEqual([[expected], undefined]);
    await reader.close();
    expect(left()).toBe(0);
  });

  test('upstream is asked for the whole if the size is unknown, since the range has no meaning then', async () => {
    const { open, asked } = world({}, 'unknown');
    const { reader } = await open(slice(1_000, 2_000));
    expect(asked).toEqual([undefined]);
    await reader.close();
  });

  test.each([
    [16, { start: 0, end: 10 }, undefined],
    [17, undefined, true],
  ])('of %i parts each is fetched by itself, or the whole in their place', async (count, first, isWhole) => {
    const { open, asked, left } = world();
    const ranges = Array.from({ length: count }, (_, i) => slice(1_000 * i, 1_000 * i + 10));
    const opened = await open(several(...ranges));
    expect(asked).toEqual([first]);
    expect(opened.isWhole).toBe(isWhole);
    await opened.reader.close();
    expect(left()).toBe(0);
  });

  test('each of several parts comes when it is read', async () => {
    const { open, asked } = world();
    const { reader } = await open(several(slice(1_000, 1_010), slice(5_000, 5_010)));
    expect((await read(reader, 1_000, 1_010)).equals(CONTENT.subarray(1_000, 1_010))).toBe(true);
    expect(asked).toHaveLength(1);
    expect((await read(reader, 5_000, 5_010)).equals(CONTENT.subarray(5_000, 5_010))).toBe(true);
    expect(asked).toMatchObject([
      { start: 1_000, end: 1_010 },
      { start: 5_000, end: 5_010 },
    ]);
    await reader.close();
  });

  test('the whole is verified', async () => {
    const { open } = world({ content: Buffer.alloc(20_000) });
    const { reader } = await open();
    await expect(read(reader, 0, 20_000)).rejects.toBeInstanceOf(VerificationError);
  });

  test.each([
    ['at the beginning', 0, 10],
    ['to the end', 19_990, 20_000],
  ])('a part %s is left to the client to verify', async (_, start, end) => {
    const { open } = world();
    const { reader } = await open(slice(start, end));
    expect((await read(reader, start, end)).equals(CONTENT.subarray(start, end))).toBe(true);
    expect(await reader.available(end)).toBe(end);
    await reader.close();
  });

  test.each([
    ['that is refused is not asked for again at once', ABSENT, 1],
    ['that cannot be had is asked for anew', AWAY, 2],
  ])('a blob %s', async (_, refuses, expected) => {
    const { open, asked } = world({ refuses });
    for (let times = 0; times < 2; times += 1) {
      await expect(open()).rejects.toMatchObject({ failure: refuses.failure });
    }
    expect(asked).toHaveLength(expected);
  });
});
