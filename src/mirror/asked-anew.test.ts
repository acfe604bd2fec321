import { expect, test } from 'vitest';
import { askedAnew } from './asked-anew.ts';
import type { Target } from './target.ts';

const DAY = 86_400_000;

test.each([
  ['shorter', 300_000, 5_000, DAY + 295_000],
  ['as short as it is', 1_000, 1_000, DAY],
  ['none', 0, 0, DAY],
])(
  'the time to live is %s, and cached answers are served for as long as before if upstream fails',
  (_, ttlMs, ttl, stale) => {
    const target = { tags: { ttlMs, staleForMs: DAY } } as Target;
    expect(askedAnew(target)).toEqual({ tags: { ttlMs: ttl, staleForMs: stale }, maxAgeMs: 5_000 });
    expect(target.tags.ttlMs).toBe(ttlMs);
  },
);
