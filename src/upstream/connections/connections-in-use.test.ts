import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ConnectionsInUse } from './connections-in-use.ts';

test('a request finds no connection while others to its origin hold as many as there may be', () => {
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

test('a request that is sent twice counts once, and one without a connection releases none', () => {
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

test('without a bound there is always a connection', () => {
  const connections = new ConnectionsInUse();
  connections.request('https://a').begin();
  expect(connections.request('https://a').hasFoundNone).toBe(false);
});

test('a request that is given up before it gets a connection takes none afterwards', () => {
  const connections = new ConnectionsInUse(1);
  const [givenUp, late] = [1, 2].map(() => connections.request('https://a'));
  givenUp?.end();
  givenUp?.begin();
  expect(late?.hasFoundNone).toBe(false);
});

test('a request waits until another one has released its connection', async () => {
  const connections = new ConnectionsInUse(1);
  const [first, next] = [1, 2].map(() => connections.request('https://a'));
  await first?.take();
  first?.begin();
  let isFree = false;
  const free = next?.take().then(() => (isFree = true));
  await setImmediate();
  expect(isFree).toBe(false);
  first?.end();
  await free;
});

test('as many requests go on as connections have become free', async () => {
  const connections = new ConnectionsInUse(1);
  const [first, ...others] = [1, 2, 3, 4].map(() => connections.request('https://a'));
  first?.begin();
  const gone: number[] = [];
  others.forEach((use, n) => void use.take().then(() => gone.push(n)));
  await setImmediate();
  first?.end();
  await setImmediate();
  expect(gone).toEqual([0]);
  others[1]?.end();
  others[0]?.end();
  await setImmediate();
  expect(gone).toEqual([0, 1, 2]);
  expect(connections.size).toBe(1);
});
