import { expect, test } from 'vitest';
import { Passage } from './passage.ts';

test('knows its own requests, and no others', () => {
  const [one, other] = [new Passage('one'), new Passage('other')];
  expect(one.via).toBe('1.1 larder-one');
  expect([one.hasPassed(one.via), other.hasPassed(one.via), one.hasPassed(undefined)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('carries a Via on, also to what goes on after the request, and mixes none', async () => {
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

test('an endless row of Larders is a circle', () => {
  const via = (count: number): string =>
    Array.from({ length: count }, (_, i) => `1.1 larder-${i}`).join(', ');
  expect([16, 17].map((count) => new Passage('x').hasPassed(via(count)))).toEqual([false, true]);
});
