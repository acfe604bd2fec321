import * as fc from 'fast-check';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { beyondLimits, dropOldest } from './quarantine.ts';

const files = fc.array(fc.record({ size: fc.nat(1000), modifiedAt: fc.nat(100) }), { maxLength: 30 });
const limits = fc.record({ files: fc.nat(20), bytes: fc.nat(5000) });

describe('beyondLimits', () => {
  it('keeps everything that fits', () => {
    const some = [
      { size: 10, modifiedAt: 1 },
      { size: 10, modifiedAt: 2 },
    ];
    expect(beyondLimits(some, { files: 2, bytes: 20 })).toEqual([]);
  });

  it('removes the oldest beyond the number of files', () => {
    const some = [
      { size: 1, modifiedAt: 1 },
      { size: 1, modifiedAt: 3 },
      { size: 1, modifiedAt: 2 },
    ];
    expect(beyondLimits(some, { files: 1, bytes: 99 })).toEqual([some[2], some[0]]);
  });

  it('removes the oldest beyond the number of bytes', () => {
    const some = [
      { size: 50, modifiedAt: 1 },
      { size: 60, modifiedAt: 2 },
    ];
    expect(beyondLimits(some, { files: 9, bytes: 100 })).toEqual([some[0]]);
  });

  it('keeps nothing that is larger than all it may hold', () => {
    expect(beyondLimits([{ size: 101, modifiedAt: 1 }], { files: 9, bytes: 100 })).toHaveLength(1);
  });

  it('leaves what is within the limits, none of it older than what it removes', () => {
    const property = fc.property(files, limits, (some, limits) => {
      const removed = beyondLimits(some, limits);
      const kept = some.filter((file) => !removed.includes(file));
      expect(kept.length).toBeLessThanOrEqual(limits.files);
      expect(kept.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(limits.bytes);
      const oldestKept = Math.min(...kept.map(({ modifiedAt }) => modifiedAt));
      for (const { modifiedAt } of removed) expect(modifiedAt).toBeLessThanOrEqual(oldestKept);
    });
    fc.assert(property);
  });
});

it('dropOldest begins with the oldest, and stops when enough is gone', async () => {
  await using directory = await temporaryDirectory('quarantine');
  for (const [name, at] of Object.entries({ newest: 3, oldest: 1, middle: 2 })) {
    await writeFile(join(directory.path, name), name);
    await utimes(join(directory.path, name), at, at);
  }
  expect(await dropOldest(directory.path, 6)).toBe(6);
  expect(await readdir(directory.path)).toEqual(['middle', 'newest']);
  expect(await dropOldest(directory.path, 7)).toBe(12);
});
