import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { duration, durationOrNever } from '../values/duration.ts';
import { count } from '../values/whole-number.ts';
import { overriding, section, sparseSection } from './section.ts';

const keys = {
  ttl: duration().prefault('5m').describe('How long.'),
  unusedFor: durationOrNever().prefault('never').describe('How long unused.'),
  pulls: count(0).prefault(10).describe('How many.'),
  most: count(0).optional().describe('At most.'),
};

describe('a section', () => {
  const whole = section(keys);

  it.each([null, undefined, {}])('may be without keys: %j', (value) => {
    expect(z.decode(whole, value)).toEqual({ ttlMs: 300_000, unusedForMs: undefined, pulls: 10 });
  });

  it('names durations for their unit, in its type too', () => {
    const value = z.decode(whole, { ttl: '1s', unusedFor: '1m', most: 3 });
    expect(value).toEqual({ ttlMs: 1000, unusedForMs: 60_000, pulls: 10, most: 3 });
    expectTypeOf(value).toEqualTypeOf<{
      readonly ttlMs: number;
      readonly unusedForMs: number | undefined;
      readonly pulls: number;
      readonly most: number | undefined;
    }>();
  });

  it('is written whole, and never with a key that it does not know', () => {
    const value = { ...z.decode(whole, {}), name: 'x' };
    expect(z.encode(whole, value)).toStrictEqual({ ttl: '5m', unusedFor: 'never', pulls: 10 });
  });

  it('refuses a key that it does not know', () => {
    expect(z.safeDecode(whole, { ttlMs: 1 }).error?.issues).toMatchObject([{ code: 'unrecognized_keys' }]);
  });
});

it('a sparse section is written without the keys that are at their default', () => {
  const sparse = sparseSection(keys);
  expect(z.encode(sparse, z.decode(sparse, { ttl: '300s', pulls: 11 }))).toStrictEqual({ pulls: 11 });
});

describe('a section that overrides another', () => {
  const own = section(overriding(keys));

  it('has only what it says, and nothing by default', () => {
    expect(z.decode(own, { ttl: '1s' })).toStrictEqual({ ttlMs: 1000 });
    expect(z.encode(own, z.decode(own, { ttl: '1s' }))).toStrictEqual({ ttl: '1s' });
  });

  it('has the descriptions of the other', () => {
    expect(z.globalRegistry.get(overriding(keys).pulls)?.description).toBe('How many.');
  });
});
