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

test('the lines of some milliseconds are handed over together, in their order', () => {
  batch.write('a\n');
  clock.advance(9);
  batch.write('ä\n');
  expect(written).toEqual([]);
  clock.advance(1);
  expect(written).toEqual(['a\nä\n']);
});

test('later lines are handed over by themselves, and nothing happens without lines', () => {
  batch.write('a\n');
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
  batch.write('b\n');
  clock.advance(10);
  expect(written).toEqual(['a\n', 'b\n']);
});

test('lines that were taken are not handed over', () => {
  batch.write('a\n');
  batch.write('b\n');
  expect([batch.take(), batch.take()]).toEqual(['a\nb\n', '']);
  clock.advance(1_000);
  expect(written).toEqual([]);
});
