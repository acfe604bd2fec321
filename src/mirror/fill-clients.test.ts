import { describe, expect, test, vi } from 'vitest';
import { FillClients, demandOf } from './fill-clients.ts';

describe('an audience', () => {
  test('stands for the client that has been there for longest', () => {
    const audience = new FillClients();
    expect(audience.client).toBeUndefined();
    const first = audience.enter('a');
    const second = audience.enter('b');
    expect(audience.client).toBe('a');
    first();
    expect(audience.client).toBe('b');
    second();
    expect(audience.client).toBeUndefined();
  });

  test('has a client until it has left as often as it came', () => {
    const audience = new FillClients();
    const leave = [audience.enter('a'), audience.enter('a')];
    leave[0]?.();
    expect(audience.client).toBe('a');
    leave[1]?.();
    expect(audience.client).toBeUndefined();
  });

  test('calls its listener for each coming and going, until the listener is removed', () => {
    const audience = new FillClients();
    const listener = vi.fn<() => void>();
    const unwatch = audience.watch(listener);
    const leave = audience.enter('a');
    leave();
    expect(listener).toHaveBeenCalledTimes(2);
    unwatch();
    audience.enter('a');
    expect(listener).toHaveBeenCalledTimes(2);
  });
});

test('the demand of one client stays', () => {
  const demand = demandOf('a');
  demand.watch(() => {})();
  expect(demand.client).toBe('a');
});
