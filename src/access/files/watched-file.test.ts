import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { differences } from './differences.ts';
import { watchSource } from './watch-source.ts';
import { WatchedFile, type WatchedFileOptions } from './watched-file.ts';

let folder: string;
let path: string;
let clock: ManualClock;
let told: unknown[];
let file: WatchedFile<string> | undefined;

async function open(options: Partial<WatchedFileOptions<string>> = {}): Promise<WatchedFile<string>> {
  file = await WatchedFile.open<string>({
    path,
    clock,
    parse(text) {
      if (text.includes('damaged')) throw new Error(`${text} file`);
      return text;
    },
    onChange: (now, before) => told.push(`${before} -> ${now}`),
    onUnusable: (error) => told.push(error instanceof Error ? error.message : error),
    ...options,
  });
  return file;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  path = join(folder, 'users');
  clock = new ManualClock();
  told = [];
  await writeFile(path, 'one');
});

afterEach(async () => {
  await file?.close();
  file = undefined;
  if (clock.pending > 0) throw new Error(clock.left.join('\n'));
  await rm(folder, { recursive: true });
});

describe('a watched file', () => {
  it('has the value of the file, and takes a change within a second', async () => {
    const watched = await open();
    expect(watched.value).toBe('one');
    await writeFile(path, 'two');
    clock.advance(999);
    expect(clock.pending).toBe(1);
    expect(watched.value).toBe('one');
    clock.advance(1);
    await vi.waitFor(() => expect(watched.value).toBe('two'));
    await writeFile(path, 'three');
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    clock.advance(1000);
    await vi.waitFor(() => expect(watched.value).toBe('three'));
    expect(told).toEqual(['one -> two', 'two -> three']);
  });

  it('takes a file that another replaces, also behind symbolic links as Kubernetes makes them', async () => {
    for (const version of ['1', '2']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'users'), version);
    }
    await symlink('1', join(folder, 'data'));
    await rm(path);
    await symlink('data/users', path);
    const watched = await open();
    expect(watched.value).toBe('1');
    await symlink('2', join(folder, 'new'));
    await rename(join(folder, 'new'), join(folder, 'data'));
    await watched.refresh();
    expect(watched.value).toBe('2');
  });

  it('keeps its value while the file is damaged or missing, and says each reason once', async () => {
    const watched = await open();
    const steps = ['damaged', 'damaged', 'damaged again', undefined, undefined, 'one'];
    for (const text of steps) {
      await (text === undefined ? rm(path, { force: true }) : writeFile(path, text));
      await watched.refresh();
      expect(watched.value).toBe('one');
    }
    expect(told).toEqual([
      'damaged file',
      'damaged again file',
      expect.stringContaining('ENOENT'),
      'one -> one',
    ]);
  });

  it('takes a change that leaves size and time as they were, where the file was read just before', async () => {
    const watched = await open();
    const time = new Date(1_000_000);
    await writeFile(path, 'two');
    await utimes(path, time, time);
    await watched.refresh();
    // The time of the inode's change still tells it. Where that clock is coarse, only reading once more does.
    await writeFile(path, 'six');
    await utimes(path, time, time);
    await watched.refresh();
    expect(watched.value).toBe('six');
  });

  it('tells nothing while nothing changes', async () => {
    const watched = await open();
    for (let i = 0; i < 5; i += 1) await watched.refresh();
    expect(told).toEqual([]);
  });

  it('cannot be opened if the file is missing or damaged', async () => {
    await writeFile(path, 'damaged');
    await expect(open()).rejects.toThrow('damaged file');
    await rm(path);
    await expect(open()).rejects.toThrow('ENOENT');
  });

  it('may be missing at first, if that has a meaning', async () => {
    await rm(path);
    const watched = await open({ missing: 'none' });
    await watched.refresh();
    expect([watched.value, told]).toEqual(['none', []]);
    await writeFile(path, 'one');
    await watched.refresh();
    expect([watched.value, told]).toEqual(['one', ['none -> one']]);
    await rm(path);
    await watched.refresh();
    expect([watched.value, told.length]).toEqual(['one', 2]);
  });

  it('is not read beyond its bound', async () => {
    await writeFile(path, Buffer.alloc(8 * 1024 * 1024 + 1, 'a'));
    await expect(open()).rejects.toThrow('larger than 8388608 bytes');
  });
});

describe('a source of logins', () => {
  it('tells by events which names have changed, or that it is unusable', async () => {
    const events = createEvents();
    const emitted: LarderEvent[] = [];
    events.subscribe((event) => emitted.push(event));
    const parse = (_: string, text: string): Map<string, string> =>
      new Map(text.split(' ').map((word) => [word.slice(0, 1), word.slice(1)]));
    await writeFile(path, 'a1 b1 c1');
    const parts = { clock, events };
    await using watched = await watchSource(
      { source: 'users', path, parse, entries: (value) => value },
      parts,
    );
    await writeFile(path, 'a1 b2 d1');
    await watched.refresh();
    await rm(path);
    await watched.refresh();
    expect(emitted).toMatchObject([
      {
        kind: 'access-changed',
        source: 'users',
        state: 'changed',
        added: ['d'],
        removed: ['c'],
        altered: ['b'],
      },
      { kind: 'access-changed', source: 'users', state: 'unusable', error: { code: 'ENOENT' } },
    ]);
  });

  it('tells twenty names of a list', () => {
    const many = new Map(Array.from({ length: 25 }, (_, i) => [`${i}`, '']));
    const { added } = differences(new Map(), many);
    expect([added.length, added.at(-1)]).toEqual([21, 'and 5 more']);
  });
});
