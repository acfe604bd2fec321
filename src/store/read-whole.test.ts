import { expect, test, vi } from 'vitest';
import type { BlobReader } from './blob-store.ts';
import { readWhole, waitForEnd } from './read-whole.ts';
import { errorOf, HELLO, turns } from './store-under-test.contract.ts';

/** Creates a reader that makes at most three bytes available at a time, and returns at most two. */
function slowReader(bytes: Uint8Array): { reader: BlobReader; isClosed: () => boolean } {
  let isClosed = false;
  const reader: BlobReader = {
    size: bytes.length,
    fd: undefined,
    available: async (position) => Math.max(position, Math.min(position + 3, bytes.length)),
    async read(into, position) {
      const piece = bytes.subarray(position, position + Math.min(2, into.length));
      into.set(piece);
      return piece.length;
    },
    async close() {
      await turns(5);
      isClosed = true;
    },
  };
  return { reader, isClosed: () => isClosed };
}

test.each([
  ['some bytes', HELLO],
  ['no bytes', Buffer.alloc(0)],
])('a reader of %s is read whole, and closed', async (_, bytes) => {
  const { reader, isClosed } = slowReader(bytes);
  expect(Buffer.from(await readWhole(reader))).toEqual(bytes);
  expect(isClosed()).toBe(true);
});

test('a reader that fails is closed before the error is reported', async () => {
  const { reader, isClosed } = slowReader(HELLO);
  const error = new Error('i/o error');
  expect(await errorOf(readWhole({ ...reader, read: () => Promise.reject(error) }))).toBe(error);
  expect(isClosed()).toBe(true);
});

test('waitForEnd reads nothing, and leaves the reader open', async () => {
  const { reader, isClosed } = slowReader(HELLO);
  const read = vi.spyOn(reader, 'read');
  expect(await waitForEnd(reader)).toBe(HELLO.byteLength);
  expect(read).not.toHaveBeenCalled();
  expect(isClosed()).toBe(false);
});
