import { expect, test } from 'vitest';
import { releaseMemory } from './release-memory.ts';

test('the memory of bytes that share it with no others is released', () => {
  const bytes = new Uint8Array(100);
  releaseMemory(bytes);
  expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
});

test.each([
  ['share theirs with others', new Uint8Array(new ArrayBuffer(100), 50)],
  ['lie in shared memory', new Uint8Array(new SharedArrayBuffer(100))],
])('no memory is released of bytes that %s', (_, bytes) => {
  const { length } = bytes;
  releaseMemory(bytes);
  expect(bytes.length).toBe(length);
});
