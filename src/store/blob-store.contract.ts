import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { describeCapabilities, type Capability } from './capabilities.contract.ts';
import { VerificationError } from './error.ts';
import { describeExpectations } from './expectation.contract.ts';
import { describeFollowers } from './follower.contract.ts';
import { describeConcurrency, describeEnd } from './ingest.contract.ts';
import {
  collect,
  DIGEST,
  errorOf,
  EXPECTED,
  expectSetAside,
  HELLO,
  openAndRead,
  put,
  readFrom,
  readThrough,
  WRONG,
  type StoreUnderTest,
  type StoreSubject,
} from './store-under-test.contract.ts';

/**
 * Tests what every implementation of BlobStore does.
 * @param capabilities what this implementation can do beyond that
 */
export function describeBlobStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  capabilities: readonly Capability[] = [],
): void {
  describe(`${name} as a blob store`, () => {
    let tested: StoreUnderTest;
    const subject: StoreSubject = {
      get store() {
        return tested.store;
      },
      quarantined: () => tested.quarantined(),
    };

    beforeEach(async () => {
      tested = await open();
    });

    afterEach(async () => {
      expect(await tested.leftovers()).toEqual([]);
      await tested[Symbol.asyncDispose]();
    });

    describe('bytes', () => {
      describeBytes(subject);
    });
    describe('verification', () => {
      describeVerification(subject);
    });
    describe('capabilities', () => {
      describeCapabilities(subject, capabilities);
    });
    describe('what is expected', () => {
      describeExpectations(subject);
    });
    describe('followers', () => {
      describeFollowers(subject);
    });
    describe('the end of an ingest', () => {
      describeEnd(subject);
    });
    describe('concurrency', () => {
      describeConcurrency(subject);
    });
  });
}

function describeBytes(subject: StoreSubject): void {
  it('has nothing at first', async () => {
    const { store } = subject;
    expect(await store.stat(DIGEST)).toBeUndefined();
    expect(await store.open(DIGEST)).toBeUndefined();
    expect(await store.delete(DIGEST)).toBe(false);
    expect(await collect(store.list())).toEqual([]);
  });

  it.each([
    ['some bytes', HELLO, 'sha256'],
    ['a sha512 digest', HELLO, 'sha512'],
    ['no bytes at all', Buffer.alloc(0), 'sha256'],
    ['no bytes at all and a sha512 digest', Buffer.alloc(0), 'sha512'],
    ['a megabyte', Buffer.alloc(1024 * 1024, 'larder'), 'sha256'],
  ] as const)('keeps %s', async (_case, bytes, algorithm) => {
    const { store } = subject;
    const stored = { digest: digestOf(bytes, algorithm), size: bytes.byteLength };
    await put(store, bytes, algorithm);
    expect(await store.stat(stored.digest)).toEqual(stored);
    expect(await collect(store.list())).toMatchObject([stored]);
    const reader = await store.open(stored.digest);
    expect(reader?.size).toBe(stored.size);
    expect((await readThrough(reader!, 64 * 1024)).equals(bytes)).toBe(true);
    await reader!.close();
  });

  it('keeps bytes of unknown size', async () => {
    await using ingest = await subject.store.ingest({ digest: DIGEST });
    await ingest.write([HELLO]);
    expect(await ingest.commit()).toEqual(EXPECTED);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('shows nothing before commit', async () => {
    const { store } = subject;
    await using ingest = await store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    expect(ingest.offset).toBe(HELLO.byteLength);
    expect(await store.stat(DIGEST)).toBeUndefined();
    expect(await store.open(DIGEST)).toBeUndefined();
    expect(await collect(store.list())).toEqual([]);
  });

  it('lists every blob of both algorithms', async () => {
    const { store } = subject;
    await put(store, HELLO);
    await put(store, HELLO, 'sha512');
    await put(store, WRONG);
    const digests = (await collect(store.list())).map(({ digest }) => digest);
    expect(digests.toSorted()).toEqual([DIGEST, digestOf(WRONG), digestOf(HELLO, 'sha512')].toSorted());
  });

  it('deletes', async () => {
    const { store } = subject;
    await put(store, HELLO);
    expect(await store.delete(DIGEST)).toBe(true);
    expect(await store.delete(DIGEST)).toBe(false);
    expect(await store.stat(DIGEST)).toBeUndefined();
    expect(await store.open(DIGEST)).toBeUndefined();
    await put(store, HELLO);
    expect(await openAndRead(store, HELLO)).toEqual(HELLO);
  });

  it('lets an open reader finish though the blob is deleted', async () => {
    const { store } = subject;
    await put(store, HELLO);
    const reader = (await store.open(DIGEST))!;
    await store.delete(DIGEST);
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it('reads from any position, and never beyond the end', async () => {
    await put(subject.store, HELLO);
    const reader = (await subject.store.open(DIGEST))!;
    expect(await readFrom(reader, 7, 100)).toEqual(HELLO.subarray(7));
    expect(await reader.available(HELLO.byteLength)).toBe(HELLO.byteLength);
    expect(await reader.available(99)).toBe(99);
    await expect(reader.read(new Uint8Array(1), HELLO.byteLength)).rejects.toThrow(RangeError);
    await expect(reader.read(new Uint8Array(1), 99)).rejects.toThrow(RangeError);
    await reader.close();
  });

  it('refuses to read from a closed reader', async () => {
    await put(subject.store, HELLO);
    const reader = (await subject.store.open(DIGEST))!;
    await reader.close();
    await reader.close();
    expect(await errorOf(reader.read(new Uint8Array(1), 0))).toMatchObject({ name: 'AbortError' });
    expect(await errorOf(reader.available(0))).toMatchObject({ name: 'AbortError' });
  });
}

function describeVerification(subject: StoreSubject): void {
  const mistakes: readonly (readonly [string, { size?: number }, Uint8Array])[] = [
    ['other bytes of the expected size', { size: HELLO.byteLength }, WRONG],
    ['other bytes where the size is unknown', {}, WRONG],
    ['the first of the bytes', { size: HELLO.byteLength }, HELLO.subarray(0, 5)],
    ['the first of the bytes where the size is unknown', {}, HELLO.subarray(0, 5)],
    ['no bytes', { size: HELLO.byteLength }, Buffer.alloc(0)],
  ];

  it.each(mistakes)('refuses to commit %s', async (_case, size, bytes) => {
    const { store } = subject;
    const expected = { digest: DIGEST, ...size };
    await using ingest = await store.ingest(expected);
    await ingest.write([bytes]);
    const error = await errorOf(ingest.commit());
    expect(error).toBeInstanceOf(VerificationError);
    expect(error).toMatchObject({ expected });
    expect(await store.stat(DIGEST)).toBeUndefined();
    expect(await collect(store.list())).toEqual([]);
    await expectSetAside(subject, 1);
  });

  it('refuses bytes beyond the expected size at once', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    const error = await errorOf(ingest.write([Buffer.from('!')]));
    expect(error).toBeInstanceOf(VerificationError);
    expect(ingest.offset).toBe(HELLO.byteLength);
    expect(await errorOf(ingest.write([HELLO]))).toBe(error);
    expect(await errorOf(ingest.commit())).toBe(error);
    expect(await errorOf(ingest.follow())).toBe(error);
    expect(await subject.store.stat(DIGEST)).toBeUndefined();
    await expectSetAside(subject, 1);
  });

  it('takes the right bytes after the wrong ones', async () => {
    await using wrong = await subject.store.ingest(EXPECTED);
    await wrong.write([WRONG]);
    await expect(wrong.commit()).rejects.toThrow(VerificationError);
    await put(subject.store, HELLO);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });
}
