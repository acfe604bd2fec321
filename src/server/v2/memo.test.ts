import { expect, test } from 'vitest';
import { Memo } from './memo.ts';

test('a memo returns the last result of a key', () => {
  const memo = new Memo<object>();
  const [first, second] = [{}, {}];
  memo.put('a', first);
  memo.put('a', second);
  memo.put('b', first);
  expect([memo.get('a'), memo.get('b'), memo.get('c')]).toEqual([second, first, undefined]);
  expect(memo.get('a')).toBe(second);
});

test('a memo keeps nothing for a long key', () => {
  const memo = new Memo<object>();
  memo.put('x'.repeat(1_000), {});
  memo.put('x'.repeat(1_001), {});
  expect(memo.get('x'.repeat(1_000))).toBeDefined();
  expect(memo.get('x'.repeat(1_001))).toBeUndefined();
});

test('a full memo is emptied', () => {
  const memo = new Memo<object>();
  for (let i = 0; i < 5_001; i += 1) memo.put(String(i), {});
  expect(memo.get('5000')).toBeDefined();
  expect(memo.get('4999')).toBeUndefined();
});
