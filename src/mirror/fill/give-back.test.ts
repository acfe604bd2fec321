import { expect, test } from 'vitest';
import { giveBack } from './give-back.ts';

test('bytes that have their memory to themselves give it back', () => {
  const bytes = new Uint8Array(100);
  giveBack(bytes);
  expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
});

test.each([
  ['share it with others', new Uint8Array(new ArrayBuffer(100), 50)],
  ['lie in shared memory', new Uint8Array(new SharedArrayBuffer(100))],
])('bytes that %s do not', (_, bytes) => {
  const { length } = bytes;
  giveBack(bytes);
  expect(bytes.length).toBe(length);
});
