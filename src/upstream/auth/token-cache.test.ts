import { describe, expect, test } from 'vitest';
import type { Clock } from '../../clock.ts';
import { TokenCache } from './token-cache.ts';
import type { ReceivedToken } from './token-response.ts';

class StoppedClock implements Clock {
  ms = 0;
  now = (): number => this.ms;
  monotonic = (): number => this.ms;
  after = (): (() => void) => () => undefined;
}

function setUp() {
  const clock = new StoppedClock();
  const cache = new TokenCache(clock);
  let fetches = 0;
  const fetch = async (): Promise<ReceivedToken> => {
    fetches += 1;
    return { token: `t${fetches}`, lifetimeMs: 60_000 };
  };
  return { clock, cache, fetch, fetches: () => fetches };
}

describe('TokenCache', () => {
  test.each([
    [0, 't1'],
    [53_999, 't1'],
    [54_000, 't2'],
    [600_000, 't2'],
  ])('after %i ms of a minute: %s', async (ms, expected) => {
    const { clock, cache, fetch } = setUp();
    await cache.get('k', fetch, undefined);
    clock.ms = ms;
    expect((await cache.get('k', fetch, undefined)).value).toBe(expected);
  });

  test('keys do not share', async () => {
    const { cache, fetch } = setUp();
    expect((await cache.get('k', fetch, undefined)).value).toBe('t1');
    expect((await cache.get('l', fetch, undefined)).value).toBe('t2');
  });

  test('all callers that wait share one fetch, and its error', async () => {
    const { cache, fetch, fetches } = setUp();
    const waiting = Array.from({ length: 50 }, () => cache.get('k', fetch, undefined));
    expect(new Set((await Promise.all(waiting)).map(({ value }) => value))).toEqual(new Set(['t1']));
    expect(fetches()).toBe(1);

    const broken = Promise.withResolvers<ReceivedToken>();
    const failing = Array.from({ length: 3 }, () => cache.get('broken', () => broken.promise, undefined));
    broken.reject(new Error('no token'));
    const settled = await Promise.allSettled(failing);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect((await cache.get('broken', fetch, undefined)).value).toBe('t2');
  });

  test("one caller's abort ends its own wait only", async () => {
    const { cache } = setUp();
    const slow = Promise.withResolvers<ReceivedToken>();
    const abort = new AbortController();
    const leaver = cache.get('k', () => slow.promise, abort.signal);
    const stayer = cache.get('k', () => slow.promise, undefined);
    abort.abort(new Error('gone'));
    await expect(leaver).rejects.toThrow('gone');
    slow.resolve({ token: 't', lifetimeMs: 1000 });
    expect((await stayer).value).toBe('t');
  });

  test('a refused token is forgotten, its successor is not', async () => {
    const { cache, fetch } = setUp();
    const first = await cache.get('k', fetch, undefined);
    cache.invalidate('k', first);
    const second = await cache.get('k', fetch, undefined);
    cache.invalidate('k', first);
    expect(cache.peek('k')).toBe(second);
    expect(second.value).toBe('t2');
  });
});
