import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { LineBatch } from './line-batch.ts';

let clock: ManualClock;
let written: string[];
let batch: LineBatch;

beforeEach(() => {
  clock = new ManualClock();
  written = [];
  batch = new LineBatch((text) => written.push(text), clock);
});

test('the lines of some milliseconds go out together, in their order', () => {
  batch.write('a\n');
  clock.advance(9);
  batch.write('ä\n');
  expect(written).toEqual([]);
  clock.advance(1);
  expect(written).toEqual(['a\nä\n']);
});

test('those that come later go out by themselves, and nothing is done where none come', () => {
  batch.write('a\n');
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
  batch.write('b\n');
  clock.advance(10);
  expect(written).toEqual(['a\n', 'b\n']);
});

test('what is taken is not handed over', () => {
  batch.write('a\n');
  batch.write('b\n');
  expect([batch.take(), batch.take()]).toEqual(['a\nb\n', '']);
  clock.advance(1_000);
  expect(written).toEqual([]);
});
