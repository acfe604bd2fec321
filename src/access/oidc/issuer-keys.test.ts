import type { JSONWebKeySet } from 'jose';
import { describe, expect, it, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { FetchedKeys } from './key-fetcher.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DOWN = new Error('connection refused');

/** Makes keys whose fetches the test ends, in order. */
function start() {
  const clock = new ManualClock();
  const fetches: PromiseWithResolvers<FetchedKeys>[] = [];
  const changes: unknown[] = [];
  const keys = new IssuerKeys({
    fetch: () => {
      const fetched = Promise.withResolvers<FetchedKeys>();
      fetches.push(fetched);
      return fetched.promise;
    },
    clock,
    onChange: (...error) => changes.push(...(error.length === 0 ? ['works'] : error)),
  });
  const answer = (kid: string, freshMs?: number): JSONWebKeySet => {
    const set = setOf(kid);
    fetches.at(-1)?.resolve({ keys: set, freshMs });
    return set;
  };
  const held = async (kid: string, freshMs?: number): Promise<JSONWebKeySet> => {
    const current = keys.current();
    answer(kid, freshMs);
    return current;
  };
  const fail = (): void => fetches.at(-1)?.reject(DOWN);
  return { clock, keys, fetches, changes, answer, held, fail };
}

function setOf(kid: string): JSONWebKeySet {
  return { keys: [{ kty: 'OKP', kid }] };
}

const UNAVAILABLE = { name: 'AccessError', failure: 'unavailable', cause: DOWN };

describe('keys that are held', () => {
  it('are fetched once for all callers that wait, and when the first one needs them', async () => {
    const { keys, fetches, answer } = start();
    expect(fetches).toHaveLength(0);
    const waiting = [keys.current(), keys.current(), keys.current()];
    const set = answer('a');
    expect(await Promise.all(waiting)).toEqual([set, set, set]);
    expect(await keys.current()).toBe(set);
    expect(fetches).toHaveLength(1);
  });

  it.each([
    ['an hour, if the issuer does not say', undefined, HOUR],
    ['as long as the issuer says', 10 * MINUTE, 10 * MINUTE],
    ['at least five minutes', 0, 5 * MINUTE],
    ['at most a day', 1000 * HOUR, 24 * HOUR],
  ])('are fresh for %s', async (_, freshMs, expected) => {
    const { clock, keys, fetches, answer, held } = start();
    await held('a', freshMs);
    clock.advance(expected - 1);
    await keys.current();
    expect(fetches).toHaveLength(1);
    clock.advance(1);
    const renewed = keys.current();
    const set = answer('b');
    expect(await renewed).toBe(set);
  });
});

describe('an issuer that is down', () => {
  it('is left alone for 30 seconds, and then asked again', async () => {
    const { clock, keys, fetches, answer, fail } = start();
    const first = keys.current();
    fail();
    await expect(first).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterMs: 30_000 });
    clock.advance(29_999);
    await expect(keys.current()).rejects.toMatchObject({ ...UNAVAILABLE, retryAfterMs: 1 });
    expect(fetches).toHaveLength(1);
    clock.advance(1);
    const second = keys.current();
    expect(fetches).toHaveLength(2);
    const set = answer('a');
    expect(await second).toBe(set);
  });

  it('lets the first caller wait, and later ones not, while there are older keys', async () => {
    const { clock, keys, fetches, held, fail } = start();
    const set = await held('a');
    clock.advance(HOUR);
    const first = keys.current();
    fail();
    expect(await first).toBe(set);
    expect(await keys.current()).toBe(set);
    expect(fetches).toHaveLength(2);
    clock.advance(30_000);
    expect(await keys.current()).toBe(set);
    expect(fetches).toHaveLength(3);
    fail();
    expect(await keys.current()).toBe(set);
  });

  it('brings newer keys to those callers once it answers again', async () => {
    const { clock, keys, answer, held, fail } = start();
    await held('a');
    clock.advance(HOUR);
    const waiting = keys.current();
    fail();
    await waiting;
    clock.advance(30_000);
    await keys.current();
    const set = answer('b');
    await Promise.resolve();
    expect(await keys.current()).toBe(set);
  });

  it('leaves its keys usable for a day after they were fresh, and no longer', async () => {
    const { clock, keys, held, fail } = start();
    const set = await held('a');
    clock.advance(25 * HOUR - 1);
    const last = keys.current();
    fail();
    expect(await last).toBe(set);
    clock.advance(1);
    await expect(keys.current()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('is told once, and its return too', async () => {
    const { clock, keys, changes, answer, fail } = start();
    for (let i = 0; i < 3; i++) {
      const waiting = keys.current();
      fail();
      await expect(waiting).rejects.toMatchObject(UNAVAILABLE);
      clock.advance(30_000);
    }
    expect(changes).toEqual([DOWN]);
    const waiting = keys.current();
    answer('a');
    await waiting;
    expect(changes).toEqual([DOWN, 'works']);
  });
});

describe('an unknown key', () => {
  it('has newer keys fetched, once for all callers that wait', async () => {
    const { keys, fetches, answer, held } = start();
    const old = await held('a');
    const waiting = [keys.newerThan(old), keys.newerThan(old)];
    const set = answer('b');
    expect(await Promise.all(waiting)).toEqual([set, set]);
    expect(await keys.newerThan(old)).toBe(set);
    expect(fetches).toHaveLength(2);
  });

  it('has them fetched at most once a minute: a thousand forged ones an hour make 60 requests', async () => {
    const { clock, keys, fetches, answer, held } = start();
    let known = await held('a', 24 * HOUR);
    for (let i = 0; i < 1000; i++) {
      const newer = keys.newerThan(known);
      if (fetches.length > 1) answer('a', 24 * HOUR);
      known = (await newer) ?? known;
      clock.advance(HOUR / 1000);
    }
    expect(fetches.length - 1).toBeGreaterThan(50);
    expect(fetches.length - 1).toBeLessThanOrEqual(60);
  });

  it('is found within a minute although forged ones came before', async () => {
    const { clock, keys, answer, held } = start();
    const old = await held('a');
    const forged = keys.newerThan(old);
    const same = answer('a');
    expect(await forged).toBe(same);
    expect(await keys.newerThan(same)).toBeUndefined();
    clock.advance(MINUTE);
    const rotated = keys.newerThan(same);
    const set = answer('b');
    expect(await rotated).toBe(set);
  });

  it('cannot be judged while the issuer is down, and makes no request for 30 seconds', async () => {
    const { clock, keys, fetches, answer, held, fail } = start();
    const old = await held('a');
    const waiting = keys.newerThan(old);
    fail();
    await expect(waiting).rejects.toMatchObject(UNAVAILABLE);
    await expect(keys.newerThan(old)).rejects.toMatchObject(UNAVAILABLE);
    expect(fetches).toHaveLength(2);
    expect(await keys.current()).toBe(old);
    clock.advance(30_000);
    const again = keys.newerThan(old);
    const set = answer('b');
    expect(await again).toBe(set);
  });
});

test('a fetch that is not awaited by any caller any more leaves no unhandled rejection', async () => {
  const { clock, keys, held, fail } = start();
  await held('a');
  clock.advance(HOUR);
  void keys.current();
  fail();
  await new Promise(setImmediate);
  clock.advance(30_000);
  await keys.current();
  fail();
  // Vitest fails the run for an unhandled rejection.
  await new Promise(setImmediate);
});
