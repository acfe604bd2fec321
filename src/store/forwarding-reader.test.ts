import { expect, test, vi } from 'vitest';
import type { BlobReader } from './blob-store.ts';
import { ForwardingReader } from './forwarding-reader.ts';

test('a forwarding reader does what the other one does', async () => {
  const inner = {
    size: 10,
    fd: 7,
    available: vi.fn<BlobReader['available']>(async () => 4),
    read: vi.fn<BlobReader['read']>(async () => 2),
    close: vi.fn<BlobReader['close']>(() => Promise.reject(new Error('i/o error'))),
  };
  const reader = new ForwardingReader(inner);
  expect([reader.size, reader.fd]).toEqual([10, 7]);
  expect(await reader.available(3)).toBe(4);
  expect(inner.available.mock.calls).toEqual([[3]]);
  const into = new Uint8Array(2);
  expect(await reader.read(into, 3)).toBe(2);
  expect(inner.read.mock.calls).toEqual([[into, 3]]);
  await expect(reader.close()).rejects.toThrow('i/o error');
});
