import { expect, test } from 'vitest';
import { Passage } from './passage.ts';

test('recognises requests that passed it, and no others', () => {
  const [one, other] = [new Passage('one'), new Passage('other')];
  expect(one.via).toBe('1.1 larder-one');
  expect([one.hasPassed(one.via), other.hasPassed(one.via), one.hasPassed(undefined)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('carries a Via on, also to work that outlives the request, and mixes none', async () => {
  const passage = new Passage('b');
  const asked = Promise.withResolvers<void>();
  const later = passage.carry('1.1 larder-a, 1.1 proxy', async () => {
    await asked.promise;
    return passage.via;
  });
  const others = [passage.carry(undefined, () => passage.via), passage.via];
  asked.resolve();
  expect(await later).toBe('1.1 larder-a, 1.1 larder-b');
  expect(others).toEqual(['1.1 larder-b', '1.1 larder-b']);
});

test('refuses a request with more Larders than any of them names', () => {
  const via = (count: number): string =>
    Array.from({ length: count }, (_, i) => `1.1 larder-${i}`).join(', ');
  expect([16, 17].map((count) => new Passage('x').hasPassed(via(count)))).toEqual([false, true]);
});

test('no Via of a client makes the row too long for the next Larder', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => new Passage(id)) as [Passage, Passage, Passage];
  for (const count of [14, 15, 16]) {
    const told = Array.from({ length: count }, (_, i) => `1.1 larder-${i}`).join(', ');
    const toB = a.carry(told, () => a.via);
    const toC = b.carry(toB, () => b.via);
    expect([a.hasPassed(told), b.hasPassed(toB), c.hasPassed(toC)]).toEqual([false, false, false]);
    // A loop is still detected.
    expect([a.hasPassed(toC), b.hasPassed(toC)]).toEqual([true, true]);
  }
});
