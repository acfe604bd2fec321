import { expect, test } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { RunningDigest } from './running-digest.ts';
import type { Source } from './spool.ts';
import { errorOf, turns } from './store-under-test.contract.ts';

const BYTES = Buffer.from(Array.from({ length: 100 }, (_, i) => i));
const SHA256 = digestOf(BYTES);
const SHA512 = digestOf(BYTES, 'sha512');

/** A source with more bytes than those that are hashed; it returns at most 30 at a time. */
class LongSource implements Source {
  readonly fd = undefined;
  readonly positions: number[] = [];
  isClosed = false;

  async read(into: Uint8Array, position: number): Promise<number> {
    this.positions.push(position);
    const count = Math.min(30, into.length);
    into.set(Buffer.concat([BYTES, Buffer.alloc(100)]).subarray(position, position + count));
    return count;
  }

  async close(): Promise<void> {
    await turns(5);
    this.isClosed = true;
  }
}

const notOpened = (): Promise<Source> => expect.fail('should not have been opened');

test('bytes that came piece by piece are not read again', async () => {
  const digest = new RunningDigest('sha256');
  digest.update([BYTES.subarray(0, 10), BYTES.subarray(10, 30)], 0);
  digest.update([BYTES.subarray(30)], 30);
  expect(await digest.finish(SHA256, 100, notOpened)).toBe(SHA256);
});

test('bytes after a gap are read from the gap on, and none beyond the end', async () => {
  const digest = new RunningDigest('sha256');
  const source = new LongSource();
  digest.update([BYTES.subarray(0, 20)], 0);
  digest.update([BYTES.subarray(50)], 50);
  expect(await digest.finish(SHA256, 100, async () => source)).toBe(SHA256);
  expect(source.positions).toEqual([20, 50, 80]);
  expect(source.isClosed).toBe(true);
});

test('all bytes are read again if another algorithm is needed in the end', async () => {
  const digest = new RunningDigest('sha256');
  const source = new LongSource();
  digest.update([BYTES], 0);
  expect(await digest.finish(SHA512, 100, async () => source)).toBe(SHA512);
  expect(source.positions).toEqual([0, 30, 60, 90]);
});

test('no bytes need no reading, by any algorithm', async () => {
  const nothing = Buffer.alloc(0);
  const digest = new RunningDigest('sha256');
  expect(await digest.finish(digestOf(nothing, 'sha512'), 0, notOpened)).toBe(digestOf(nothing, 'sha512'));
});

test('a source that fails is closed before the error is reported', async () => {
  const digest = new RunningDigest('sha512');
  const source = new LongSource();
  const error = new Error('i/o error');
  source.read = () => Promise.reject(error);
  expect(await errorOf(digest.finish(SHA512, 100, async () => source))).toBe(error);
  expect(source.isClosed).toBe(true);
});
