import { expect } from 'vitest';
import { digestOf, type DigestAlgorithm } from '../oci/digest.ts';
import type { BlobReader, BlobStore } from './blob-store.ts';

/** A store to test, empty. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: BlobStore;
  /** How many times bytes were set aside; never, where the store cannot do that. */
  quarantined(): Promise<number>;
  /** What ingests that have ended and readers that were closed have not let go of. */
  leftovers(): Promise<readonly string[]>;
}

/** The store of the test that runs. */
export type StoreSubject = Pick<StoreUnderTest, 'store' | 'quarantined'>;

/** So many times bytes were set aside, where the store can do that. */
export async function expectSetAside({ store, quarantined }: StoreSubject, times: number): Promise<void> {
  expect(await quarantined()).toBe(store.quarantine === undefined ? 0 : times);
}

export const HELLO = Buffer.from('hello, layers');
export const DIGEST = digestOf(HELLO);
export const EXPECTED = { digest: DIGEST, size: HELLO.byteLength };
export const WRONG = Buffer.from('hello, liars!');

/** Every byte of the blob, read in pieces of `bufferSize`. Does not close the reader. */
export async function readThrough(reader: BlobReader, bufferSize = 7): Promise<Buffer> {
  return readFrom(reader, 0, bufferSize);
}

/** Every byte from `start` on. Does not close the reader. */
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

/** Every byte of a committed blob. */
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

/** Lets everything go on that can go on without us. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether the promise has not settled after some turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const settled = promise.catch(() => undefined);
  return (await Promise.race([settled, turns(5).then(() => pending)])) === pending;
}

/** What the promise is rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('should have been rejected'),
    (error: unknown) => error,
  );
}
