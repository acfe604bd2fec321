import { expect, test } from 'vitest';
import { ConnectionsInUse } from './connections-in-use.ts';

test('a request finds none while others of its origin hold as many as there may be', () => {
  const connections = new ConnectionsInUse(2);
  const [a, b, late] = [1, 2, 3].map(() => connections.request('https://a'));
  const elsewhere = connections.request('https://b');
  a?.begin();
  expect(late?.hasFoundNone).toBe(false);
  b?.begin();
  expect([late, a, elsewhere].map((use) => use?.hasFoundNone)).toEqual([true, false, false]);
  a?.end();
  expect(late?.hasFoundNone).toBe(false);
});

test('one that is sent once more counts once, and one that has got none gives none back', () => {
  const connections = new ConnectionsInUse(1);
  const [twice, never, late] = [1, 2, 3].map(() => connections.request('https://a'));
  twice?.begin();
  twice?.begin();
  never?.end();
  expect(late?.hasFoundNone).toBe(true);
  twice?.end();
  twice?.end();
  expect(late?.hasFoundNone).toBe(false);
});

test('without a bound there is always one', () => {
  const connections = new ConnectionsInUse();
  connections.request('https://a').begin();
  expect(connections.request('https://a').hasFoundNone).toBe(false);
});

test('one that is given up before it has got one takes none afterwards', () => {
  const connections = new ConnectionsInUse(1);
  const [givenUp, late] = [1, 2].map(() => connections.request('https://a'));
  givenUp?.end();
  givenUp?.begin();
  expect(late?.hasFoundNone).toBe(false);
});
