import * as fc from 'fast-check';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { beyondLimits, QuarantineFolder } from './quarantine.ts';

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

  it('keeps files within the limits, none of them older than one that it removes', () => {
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

it('drop begins with the oldest, and stops when enough is gone', async () => {
  await using directory = await temporaryDirectory('quarantine');
  for (const [name, at] of Object.entries({ newest: 3, oldest: 1, middle: 2 })) {
    await writeFile(join(directory.path, name), name);
    await utimes(join(directory.path, name), at, at);
  }
  const quarantine = new QuarantineFolder(directory.path, { files: 9, bytes: 100 });
  expect(await quarantine.drop(6)).toBe(6);
  expect(await readdir(directory.path)).toEqual(['middle', 'newest']);
  expect(await quarantine.drop(7)).toBe(12);
});

it('stats count what is there now, whether the store or an operator has changed it', async () => {
  await using directory = await temporaryDirectory('quarantine');
  await using elsewhere = await temporaryDirectory('blobs');
  const quarantine = new QuarantineFolder(directory.path, { files: 9, bytes: 100 });
  const bytes = async (): Promise<number> => (await quarantine.stats()).bytes;
  expect(await bytes()).toBe(0);
  await writeFile(join(elsewhere.path, 'published'), '1');
  expect(await quarantine.setAside(join(elsewhere.path, 'published'), 'first')).toBe(true);
  expect(await bytes()).toBe(1);
  await writeFile(join(elsewhere.path, 'spooled'), '22');
  await quarantine.setAsideUnpublished(join(elsewhere.path, 'spooled'), 'second');
  expect(await bytes()).toBe(3);
  await rm(join(directory.path, 'first'));
  // A file system's time moves in steps of some milliseconds.
  await utimes(directory.path, 1, 1);
  expect(await bytes()).toBe(2);
  expect(await quarantine.drop(1)).toBe(2);
  expect(await bytes()).toBe(0);
});

it('stats show the store’s own changes, though the directory’s time does not', async () => {
  await using directory = await temporaryDirectory('quarantine');
  await using elsewhere = await temporaryDirectory('blobs');
  const quarantine = new QuarantineFolder(directory.path, { files: 9, bytes: 100 });
  const bytes = async (): Promise<number> => {
    await utimes(directory.path, 1, 1);
    return (await quarantine.stats()).bytes;
  };
  expect(await bytes()).toBe(0);
  for (const name of ['published', 'spooled']) await writeFile(join(elsewhere.path, name), '1');
  await quarantine.setAside(join(elsewhere.path, 'published'), 'first');
  expect(await bytes()).toBe(1);
  await quarantine.setAsideUnpublished(join(elsewhere.path, 'spooled'), 'second');
  expect(await bytes()).toBe(2);
  await quarantine.drop(1);
  expect(await bytes()).toBe(1);
});

it('stats are read again after they could not be read', async () => {
  await using parent = await temporaryDirectory('quarantine');
  const directory = join(parent.path, 'set-aside');
  const quarantine = new QuarantineFolder(directory, { files: 9, bytes: 100 });
  await expect(quarantine.stats()).rejects.toThrow('set-aside');
  await mkdir(directory);
  expect(await quarantine.stats()).toMatchObject({ blobs: 0, bytes: 0 });
});

it('stats are read again after the directory could not be listed, though its time is the same', async () => {
  await using parent = await temporaryDirectory('quarantine');
  const path = join(parent.path, 'set-aside');
  const quarantine = new QuarantineFolder(path, { files: 9, bytes: 100 });
  await writeFile(path, '');
  await utimes(path, 1, 1);
  await expect(quarantine.stats()).rejects.toMatchObject({ code: 'ENOTDIR' });
  await rm(path);
  await mkdir(path);
  await utimes(path, 1, 1);
  expect(await quarantine.stats()).toMatchObject({ blobs: 0, bytes: 0 });
});

it('stats do not list the directory again if nothing has changed', async () => {
  await using directory = await temporaryDirectory('quarantine');
  const quarantine = new QuarantineFolder(directory.path, { files: 9, bytes: 100 });
  expect(await quarantine.stats()).toBe(await quarantine.stats());
});

it('stats count a file that an operator has put there, which has no digest', async () => {
  await using directory = await temporaryDirectory('quarantine');
  await writeFile(join(directory.path, 'README'), 'why');
  const quarantine = new QuarantineFolder(directory.path, { files: 9, bytes: 100 });
  expect(await quarantine.stats()).toEqual({ blobs: 1, bytes: 3, digests: [] });
});
