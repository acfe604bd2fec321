import { expect } from 'vitest';
import { digestOf, type DigestAlgorithm } from '../oci/digest.ts';
import type { BlobReader, BlobStore } from './blob-store.ts';

/** A store to test, empty. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: BlobStore;
  /** Number of times that bytes were set aside; 0 if the store has no quarantine. */
  quarantined(): Promise<number>;
  /** Names what ended ingests and closed readers still hold. */
  leftovers(): Promise<readonly string[]>;
}

/** The store of the running test. */
export type StoreSubject = Pick<StoreUnderTest, 'store' | 'quarantined'>;

/** Expects that bytes were set aside `times` times, if the store has a quarantine. */
export async function expectSetAside({ store, quarantined }: StoreSubject, times: number): Promise<void> {
  expect(await quarantined()).toBe(store.quarantine === undefined ? 0 : times);
}

export const HELLO = Buffer.from('hello, layers');
export const DIGEST = digestOf(HELLO);
export const EXPECTED = { digest: DIGEST, size: HELLO.byteLength };
export const WRONG = Buffer.from('hello, liars!');

/** Reads every byte of the blob, in pieces of `bufferSize`. Does not close the reader. */
export async function readThrough(reader: BlobReader, bufferSize = 7): Promise<Buffer> {
  return readFrom(reader, 0, bufferSize);
}

/** Reads every byte from `start` on. Does not close the reader. */
export async function readFrom(
  reader: BlobReader,
  start: number,
  bufferSize: number,
  pause: () => Promise<void> = async () => undefined,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let position = start;
  for (;;) {
    const end = await reader.available(position);
    if (end === position) return Buffer.concat(pieces);
    while (position < end) {
      const into = new Uint8Array(bufferSize);
      const count = await reader.read(into, position);
      pieces.push(into.subarray(0, count));
      position += count;
      await pause();
    }
  }
}

/** Commits the bytes. */
export async function put(
  store: BlobStore,
  bytes: Uint8Array,
  algorithm: DigestAlgorithm = 'sha256',
): Promise<void> {
  await using ingest = await store.ingest({ digest: digestOf(bytes, algorithm), size: bytes.byteLength });
  await ingest.write([bytes]);
  await ingest.commit();
}

/** Reads every byte of a committed blob. */
export async function openAndRead(store: BlobStore, bytes: Uint8Array): Promise<Buffer | undefined> {
  const reader = await store.open(digestOf(bytes));
  if (reader === undefined) return undefined;
  try {
    return await readThrough(reader);
  } finally {
    await reader.close();
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Waits for some turns of the event loop, so that all other work goes on as far as it can. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether the promise has not settled after some turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const settled = promise.catch(() => undefined);
  return (await Promise.race([settled, turns(5).then(() => pending)])) === pending;
}

/** Returns the error that the promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('should have been rejected'),
    (error: unknown) => error,
  );
}
