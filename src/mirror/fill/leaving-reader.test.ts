import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ScriptedReader } from '../../../test/support/scripted-reader.ts';
import { LeavingReader } from './leaving-reader.ts';

test('the size of a follower’s reader is the ingest’s, or else the fill’s', () => {
  const sizeless = new ScriptedReader(9);
  Object.defineProperty(sizeless, 'size', { value: undefined });
  const readers = [new ScriptedReader(9), sizeless].map((inner) => new LeavingReader(inner, 7, () => {}));
  expect(readers.map(({ size }) => size)).toEqual([9, 7]);
});

test('a follower’s reader reports once that it has left, and closes the reader inside', async () => {
  const closing = Promise.withResolvers<void>();
  const follower = new ScriptedReader(9);
  let closed = 0;
  follower.close = () => {
    closed += 1;
    return closing.promise;
  };
  let left = 0;
  const reader = new LeavingReader(follower, 9, () => (left += 1));
  let isOver = false;
  const closes = Promise.all([reader.close(), reader.close()]).then(() => (isOver = true));
  await setImmediate();
  expect([left, closed, isOver]).toEqual([1, 2, false]);
  closing.resolve();
  await closes;
});
