import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import type { BlobReader } from './blob-store.ts';
import { VerificationError } from './error.ts';
import {
  DIGEST,
  errorOf,
  EXPECTED,
  HELLO,
  isPending,
  put,
  readFrom,
  readThrough,
  turns,
  WRONG,
  type StoreSubject,
} from './store-under-test.contract.ts';

const LAST = HELLO.byteLength - 1;

/** Tests what every implementation's `Ingest.follow` does. */
export function describeFollowers(subject: StoreSubject): void {
  describe('while bytes arrive', () => {
    describeArrival(subject);
  });
  describe('when no more bytes come', () => {
    describeFailure(subject);
  });
  describe('closing', () => {
    describeClosing(subject);
  });
  describe('at any speed', () => {
    describeSpeeds(subject);
  });
}

function describeArrival(subject: StoreSubject): void {
  it('gets bytes as they are written', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    const available = reader.available(0);
    expect(await isPending(available)).toBe(true);
    await ingest.write([HELLO.subarray(0, 5)]);
    expect(await available).toBe(5);
    const into = new Uint8Array(5);
    expect(await reader.read(into, 0)).toBe(5);
    expect(Buffer.from(into)).toEqual(HELLO.subarray(0, 5));
    expect(await isPending(reader.available(5))).toBe(true);
    await reader.close();
  });

  it('does not get the last byte before all are verified, and then gets it before they are stored', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    expect(await reader.available(0)).toBe(LAST);
    const into = new Uint8Array(100);
    expect(await reader.read(into, 1)).toBe(LAST - 1);
    await expect(reader.read(into, LAST)).rejects.toThrow(RangeError);
    const available = reader.available(LAST);
    expect(await isPending(available)).toBe(true);
    expect(await ingest.verify()).toEqual(EXPECTED);
    expect(await available).toBe(HELLO.byteLength);
    expect(await readThrough(reader)).toEqual(HELLO);
    expect(await subject.store.stat(DIGEST)).toBeUndefined();
    await ingest.commit();
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it.each([
    ['no byte', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
  ])('gets nothing of a blob of %s before it is verified', async (_case, bytes) => {
    await using ingest = await subject.store.ingest({ digest: digestOf(bytes), size: bytes.byteLength });
    const reader = await ingest.follow();
    await ingest.write([bytes]);
    const available = reader.available(0);
    expect(await isPending(available)).toBe(true);
    await ingest.verify();
    expect(await available).toBe(bytes.byteLength);
    expect(await readThrough(reader)).toEqual(bytes);
    await ingest.commit();
    await reader.close();
  });

  it('gets everything written of a blob of unknown size, and its end when that is verified', async () => {
    await using ingest = await subject.store.ingest({ digest: DIGEST });
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    expect(reader.size).toBeUndefined();
    expect(await reader.available(0)).toBe(HELLO.byteLength);
    const end = reader.available(HELLO.byteLength);
    expect(await isPending(end)).toBe(true);
    await ingest.verify();
    expect(await end).toBe(HELLO.byteLength);
    expect(reader.size).toBe(HELLO.byteLength);
    await ingest.commit();
    await reader.close();
  });

  it('may come when all is verified, and gets everything', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    await ingest.verify();
    const reader = await ingest.follow();
    await ingest.commit();
    expect(reader.size).toBe(HELLO.byteLength);
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it('may come after commit', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    await ingest.commit();
    const reader = await ingest.follow();
    expect(reader.size).toBe(HELLO.byteLength);
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it('may come while commit runs', async () => {
    for (let delay = 0; delay < 12; delay++) {
      const bytes = Buffer.from(`blob ${delay}`);
      await using ingest = await subject.store.ingest({ digest: digestOf(bytes) });
      await ingest.write([bytes]);
      const commit = ingest.commit();
      await turns(delay);
      const reader = await ingest.follow();
      await commit;
      expect(await readThrough(reader)).toEqual(bytes);
      await reader.close();
    }
  });

  it('goes on when its blob is deleted after commit', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    await ingest.commit();
    await subject.store.delete(DIGEST);
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });
}

function describeFailure(subject: StoreSubject): void {
  const reason = new Error('upstream is gone');

  it('gets what there is, then the reason of abort', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO.subarray(0, 5)]);
    const waiting = errorOf(reader.available(5));
    await ingest.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await reader.available(0)).toBe(5);
    const into = new Uint8Array(100);
    expect(await reader.read(into, 0)).toBe(5);
    expect(await errorOf(reader.available(5))).toBe(reason);
    expect(await errorOf(reader.read(into, 5))).toBe(reason);
    await reader.close();
  });

  it('does not get the last byte after abort either', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    await ingest.abort(reason);
    expect(await reader.available(0)).toBe(LAST);
    expect(await errorOf(reader.available(LAST))).toBe(reason);
    await reader.close();
  });

  it('gets all of the bytes if they were verified before an abort', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    await ingest.verify();
    await ingest.abort(reason);
    expect(await readThrough(reader)).toEqual(HELLO);
    expect(await errorOf(ingest.follow())).toBe(reason);
    await reader.close();
  });

  it('is refused after abort', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO.subarray(0, 5)]);
    await ingest.abort(reason);
    expect(await errorOf(ingest.follow())).toBe(reason);
  });

  it('gets not one byte more once the bytes have proved wrong', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([WRONG]);
    const waiting = errorOf(reader.available(LAST));
    const error = await errorOf(ingest.commit());
    expect(error).toBeInstanceOf(VerificationError);
    expect(await waiting).toBe(error);
    expect(await errorOf(reader.available(0))).toBe(error);
    expect(await errorOf(reader.read(new Uint8Array(1), 0))).toBe(error);
    await reader.close();
  });

  it('gets not one byte more once too many were written', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    const error = await errorOf(ingest.write([HELLO]));
    expect(await errorOf(reader.available(0))).toBe(error);
    await reader.close();
  });
}

function describeClosing(subject: StoreSubject): void {
  it('ends the reader’s wait, and no other reader’s', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const [leaving, staying] = [await ingest.follow(), await ingest.follow()];
    const left = errorOf(leaving.available(0));
    const stayed = staying.available(0);
    await leaving.close();
    expect(await left).toMatchObject({ name: 'AbortError' });
    expect(await isPending(stayed)).toBe(true);
    await ingest.write([HELLO.subarray(0, 3)]);
    expect(await stayed).toBe(3);
    await staying.close();
  });

  it('waits for a running read', async () => {
    await put(subject.store, HELLO);
    const reader = (await subject.store.open(DIGEST))!;
    const into = new Uint8Array(HELLO.byteLength);
    const read = reader.read(into, 0);
    await reader.close();
    expect(await read).toBe(HELLO.byteLength);
    expect(Buffer.from(into)).toEqual(HELLO);
  });
}

function describeSpeeds(subject: StoreSubject): void {
  const speed = fc.record({ bufferSize: fc.integer({ min: 1, max: 4096 }), pause: fc.nat(3) });

  async function readAtSpeed(
    reader: BlobReader,
    { bufferSize, pause }: { bufferSize: number; pause: number },
  ): Promise<string> {
    try {
      return digestOf(await readFrom(reader, 0, bufferSize, () => turns(pause)));
    } finally {
      await reader.close();
    }
  }

  it('gives 20 followers the right bytes, whatever the chunks and their speeds', async () => {
    const scenario = fc.record({
      bytes: fc.uint8Array({ minLength: 0, maxLength: 20_000 }),
      chunkSizes: fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 10 }),
      knowsSize: fc.boolean(),
      speeds: fc.array(speed, { minLength: 20, maxLength: 20 }),
    });
    const property = fc.asyncProperty(scenario, async ({ bytes, chunkSizes, knowsSize, speeds }) => {
      const digest = digestOf(bytes);
      await using ingest = await subject.store.ingest(
        knowsSize ? { digest, size: bytes.length } : { digest },
      );
      const reading: Promise<string>[] = [];
      for (const [start, end] of chunksOf(bytes.length, chunkSizes)) {
        for (const next of speeds.slice(reading.length, reading.length + 3)) {
          reading.push(readAtSpeed(await ingest.follow(), next));
        }
        await ingest.write([bytes.subarray(start, end)]);
      }
      await ingest.commit();
      for (const next of speeds.slice(reading.length)) {
        reading.push(readAtSpeed(await ingest.follow(), next));
      }
      expect(new Set(await Promise.all(reading))).toEqual(new Set([digest]));
      await subject.store.delete(digest);
    });
    await fc.assert(property, { numRuns: 25 });
  }, 60_000);
}

function* chunksOf(length: number, sizes: readonly number[]): Generator<readonly [number, number]> {
  let start = 0;
  for (let turn = 0; start < length; turn++) {
    const end = Math.min(length, start + sizes[turn % sizes.length]!);
    yield [start, end];
    start = end;
  }
}
