import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { LineBatch } from './line-batch.ts';

let written: string[];
let batch: LineBatch;

beforeEach(() => {
  written = [];
  batch = new LineBatch({
    write: (bytes) => written.push(Buffer.from(bytes).toString()),
    flushSync: () => written.push('flushed'),
  });
});

test('the lines of a turn go out together, in their order, before the next turn ends', async () => {
  batch.write('a\n');
  batch.write('ä\n');
  expect(written).toEqual([]);
  await nextTurn();
  expect(written).toEqual(['a\nä\n']);
});

test('those of the next turn go out by themselves', async () => {
  batch.write('a\n');
  await nextTurn();
  batch.write('b\n');
  await nextTurn();
  expect(written).toEqual(['a\n', 'b\n']);
});

test('at the end what is left is written at once, and only once', async () => {
  batch.write('a\n');
  batch.write('b\n');
  batch.flushSync();
  expect(written).toEqual(['a\nb\n', 'flushed']);
  await nextTurn();
  expect(written).toEqual(['a\nb\n', 'flushed']);
});

test('at the end there may be nothing left', () => {
  batch.flushSync();
  expect(written).toEqual(['flushed']);
});
