import { expect, test } from 'vitest';
import { flightKey, Flights } from './flights.ts';

test('each caller that asks during a flight gets its value, and one run serves them all', async () => {
  const flights = new Flights<number>({ monotonic: () => 7 });
  const { promise, resolve } = Promise.withResolvers<number>();
  let runs = 0;
  const run = (): Promise<number> => {
    runs += 1;
    return promise;
  };
  const first = flights.join('a', run);
  const second = flights.join('a', run);
  resolve(42);
  expect([first.collapsed, second.collapsed]).toEqual([false, true]);
  expect(await Promise.all([first.promise, second.promise])).toEqual([42, 42]);
  expect(second.startedAt).toBe(7);
  expect(runs).toBe(1);
  expect(flights.size).toBe(0);
});

test('all callers get the error, too, and the next caller begins a new flight', async () => {
  const flights = new Flights<number>({ monotonic: () => 0 });
  const fails = (): Promise<number> => Promise.reject(new Error('no'));
  const first = flights.join('a', fails);
  const second = flights.join('a', fails);
  await expect(first.promise).rejects.toThrow('no');
  await expect(second.promise).rejects.toThrow('no');
  await expect(flights.join('a', () => Promise.resolve(1)).promise).resolves.toBe(1);
});

test('different keys do not share a flight', async () => {
  const flights = new Flights<string>({ monotonic: () => 0 });
  const image = flights.join(flightKey('manifest', 'a', 'b'), () => Promise.resolve('image'));
  const referrers = flights.join(flightKey('referrers', 'a', 'b'), () => Promise.resolve('referrers'));
  expect(await Promise.all([image.promise, referrers.promise])).toEqual(['image', 'referrers']);
});

test('different parts never make the same key', () => {
  expect(flightKey('ab', 'c')).not.toBe(flightKey('a', 'bc'));
});
