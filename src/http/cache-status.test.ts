import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCacheStatus, type CacheStatus } from './cache-status.ts';

describe('formatCacheStatus', () => {
  it.each<[string, CacheStatus]>([
    ['larder; hit', { hit: true }],
    ['larder', { local: true }],
    ['larder; detail=DENIED', { local: true, detail: 'DENIED' }],
    ['larder; hit; ttl=299', { hit: true, ttlMs: 299_999 }],
    ['larder; hit; ttl=-412', { hit: true, ttlMs: -412_000 }],
    ['larder; fwd=uri-miss; fwd-status=200; stored', { fwd: 'uri-miss', fwdStatus: 200, stored: true }],
    ['larder; fwd=uri-miss; collapsed', { fwd: 'uri-miss', stored: false, collapsed: true }],
    ['larder; fwd=stale; fwd-status=304; ttl=300', { fwd: 'stale', fwdStatus: 304, ttlMs: 300_000 }],
    ['larder; fwd=bypass', { fwd: 'bypass', detail: undefined, ttlMs: undefined }],
    ['larder; fwd=miss; detail=timeout', { fwd: 'miss', detail: 'timeout' }],
    ['larder; hit; detail="docker.io: 429"', { hit: true, detail: 'docker.io: 429' }],
    [String.raw`larder; hit; detail="a\"b\\c"`, { hit: true, detail: String.raw`a"b\c` }],
    ['larder; hit; detail="7"', { hit: true, detail: '7' }],
    ['larder; hit; detail=""', { hit: true, detail: '' }],
    ['larder; hit; ttl=0', { hit: true, ttlMs: Number.NaN }],
    ['larder; hit; ttl=999999999999999', { hit: true, ttlMs: Number.POSITIVE_INFINITY }],
    [`larder; hit; detail=${'a'.repeat(256)}`, { hit: true, detail: 'a'.repeat(100_000) }],
    ['larder; hit; detail="a??b"', { hit: true, detail: 'a\r\nb' }],
  ])('%s', (text, status) => {
    expect(formatCacheStatus(status)).toBe(text);
  });

  it('is always one structured field of printable ASCII, and short', () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const members = {
      fwdStatus: optional(fc.integer()),
      stored: optional(fc.boolean()),
      collapsed: optional(fc.boolean()),
      ttlMs: optional(fc.double()),
      detail: optional(
        fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 2000 }),
      ),
    };
    const fwd = fc.constantFrom('bypass' as const, 'miss' as const, 'stale' as const, 'uri-miss' as const);
    const status = fc.oneof(
      fc.record({ hit: fc.constant(true as const), ...members }),
      fc.record({ fwd, ...members }),
      fc.record({ local: fc.constant(true as const), ...members }),
    );
    const field =
      /^larder(; hit|; fwd=[a-z-]+)?(; fwd-status=-?\d{1,15})?(; stored)?(; collapsed)?(; ttl=-?\d{1,15})?(; detail=([A-Za-z*][!-~]*|"([ !#-[\]-~]|\\["\\])*"))?$/;
    fc.assert(
      fc.property(status, (status) => {
        expect(formatCacheStatus(status)).toMatch(field);
        expect(formatCacheStatus(status).length).toBeLessThan(700);
      }),
    );
  });
});
