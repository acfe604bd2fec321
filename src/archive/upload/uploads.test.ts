import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { inPieces } from '../../../test/support/tar.ts';
import type { BundleEntry } from '../reading/bundle-entry.ts';
import { tarOf } from '../../../test/support/tar.ts';
import { Uploads, type UploadsOptions } from './uploads.ts';

const PRINT = 'a'.repeat(64);
const DAY = 24 * 60 * 60 * 1000;

interface World {
  readonly uploads: Uploads;
  readonly directory: string;
  readonly clock: ManualClock;
  readonly files: () => Promise<readonly string[]>;
}

async function openWorld(changes: Partial<UploadsOptions> = {}): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'larder-uploads-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const directory = join(root, 'uploads');
  const clock = new ManualClock();
  let ids = 0;
  const randomId = (): string => `upload-${(ids += 1)}`;
  const limits = { freeBytes: async () => 1_000_000, minFree: 0, maxSize: undefined };
  const uploads = new Uploads({ directory, clock, randomId, ...limits, ...changes });
  return { uploads, directory, clock, files: async () => readdir(directory).catch(() => []) };
}

const text = (content: string): AsyncIterable<Uint8Array> => inPieces(Buffer.from(content), 2);

describe('an upload', () => {
  it('takes its bytes in several writes, and is used when it is whole', async () => {
    const { uploads, files } = await openWorld();
    const bytes = tarOf([{ path: 'a', bytes: 'bee' }]);
    const { id } = await uploads.open(bytes.length, PRINT);
    expect(await uploads.write(id, 0, inPieces(bytes.subarray(0, 700)))).toMatchObject({ offset: 700 });
    const use = uploads.use(
      id,
      async () => 'used',
      () => true,
    );
    await expect(use).rejects.toMatchObject({ failure: 'offset' });
    await uploads.write(id, 700, inPieces(bytes.subarray(700)));
    const paths = await uploads.use(
      id,
      async (bundle) => {
        const entries: BundleEntry[] = [];
        for await (const entry of bundle.entries()) entries.push(entry);
        return entries.map(({ path }) => path);
      },
      () => false,
    );
    expect(paths).toEqual(['a']);
    expect(await files()).toEqual([]);
  });

  it('goes on where it was interrupted, also in another process', async () => {
    const { uploads, directory } = await openWorld();
    const { id } = await uploads.open(10, PRINT);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('four');
      throw new Error('gone');
    }
    await expect(uploads.write(id, 0, broken())).rejects.toThrow('gone');
    expect(await uploads.open(10, PRINT)).toEqual({ id, size: 10, offset: 4 });
    const next = new Uploads({
      ...(await openWorld()),
      directory,
      clock: new ManualClock(),
      randomId: () => 'next-one',
      freeBytes: async () => 100,
      minFree: 0,
      maxSize: undefined,
    });
    expect(await next.get(id)).toEqual({ id, size: 10, offset: 4 });
    expect(await next.open(10, PRINT)).toMatchObject({ id });
    expect(await next.open(10, 'b'.repeat(64))).toMatchObject({ id: 'next-one', offset: 0 });
  });

  it.each([
    ['where it does not end', 3, 'xx', 'offset'],
    ['beyond its size', 0, 'x'.repeat(11), 'invalid'],
  ])('is not written %s', async (_, offset, content, failure) => {
    const { uploads } = await openWorld();
    const { id } = await uploads.open(10, PRINT);
    await expect(uploads.write(id, offset, text(content))).rejects.toMatchObject({ failure });
    expect((await uploads.get(id)).offset).toBeLessThanOrEqual(10);
  });

  it('is written by one at a time', async () => {
    const { uploads } = await openWorld();
    const { id } = await uploads.open(10, PRINT);
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      await gate.promise;
      yield Buffer.from('ten bytes!');
    }
    const writing = uploads.write(id, 0, slow());
    await expect(uploads.write(id, 0, text('x'))).rejects.toMatchObject({ failure: 'busy' });
    await expect(uploads.abort(id)).rejects.toMatchObject({ failure: 'busy' });
    gate.resolve();
    expect(await writing).toMatchObject({ offset: 10 });
  });

  it('ends when it is aborted', async () => {
    const { uploads, files } = await openWorld();
    const { id } = await uploads.open(10, PRINT);
    await uploads.abort(id);
    expect(await files()).toEqual([]);
    await expect(uploads.get(id)).rejects.toMatchObject({ failure: 'unknown' });
  });

  it.each([
    ['ends if it is of no use', true, 0],
    ['stays if only the work was interrupted', false, 1],
  ])('%s', async (_, isFinal, left) => {
    const { uploads, files } = await openWorld();
    const { id } = await uploads.open(2, PRINT);
    await uploads.write(id, 0, text('ab'));
    const failing = uploads.use(
      id,
      () => Promise.reject(new Error('no')),
      () => isFinal,
    );
    await expect(failing).rejects.toThrow('no');
    expect(await files()).toHaveLength(left);
  });

  it.each([
    [0, PRINT],
    [-1, PRINT],
    [1.5, PRINT],
    [1, 'A'.repeat(64)],
    [1, '../x'],
  ])('of size %j and fingerprint %j is none', async (size, fingerprint) => {
    const { uploads, files } = await openWorld();
    await expect(uploads.open(size, fingerprint)).rejects.toMatchObject({ failure: 'invalid' });
    expect(await files()).toEqual([]);
  });

  it.each(['../../etc/passwd', 'upload-1.5.x', ''])('is not found by the id %j', async (id) => {
    const { uploads } = await openWorld();
    await uploads.open(10, PRINT);
    await expect(uploads.get(id)).rejects.toMatchObject({ failure: 'unknown' });
  });
});

describe('the room for uploads', () => {
  const prints = Array.from({ length: 9 }, (_, i) => String(i).repeat(64));

  it('has eight', async () => {
    const { uploads } = await openWorld();
    for (const print of prints.slice(0, 8)) await uploads.open(10, print);
    await expect(uploads.open(10, prints[8] as string)).rejects.toMatchObject({ failure: 'busy' });
    expect(await uploads.open(10, prints[0] as string)).toMatchObject({ offset: 0 });
  });

  it.each([
    ['cache.maxSize', { maxSize: 9 }],
    ['cache.minFree', { minFree: 999_991 }],
  ])('ends at %s', async (_, limit) => {
    const { uploads } = await openWorld(limit);
    await expect(uploads.open(10, PRINT)).rejects.toMatchObject({ failure: 'full' });
    expect(await uploads.open(9, PRINT)).toMatchObject({ size: 9 });
  });

  it('is that which the others do not take, also if they come at once', async () => {
    const { uploads } = await openWorld({ freeBytes: async () => 15 });
    const opened = await Promise.allSettled([uploads.open(10, PRINT), uploads.open(10, prints[0] as string)]);
    expect(opened.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('is freed of what was not written for a day, and of nothing else', async () => {
    const { uploads, directory, clock, files } = await openWorld();
    const { id } = await uploads.open(10, PRINT);
    await uploads.open(11, PRINT);
    await writeFile(join(directory, 'foreign'), '');
    for (const name of await files())
      await utimes(join(directory, name), clock.now() / 1000, clock.now() / 1000);
    clock.advance(DAY - 1);
    await uploads.sweep();
    expect(await files()).toHaveLength(3);
    await uploads.write(id, 0, text('x'));
    const written = (await files()).find((name) => name.startsWith(id)) ?? '';
    await utimes(join(directory, written), clock.now() / 1000, clock.now() / 1000);
    clock.advance(1);
    await uploads.sweep();
    expect((await files()).toSorted()).toEqual(['foreign', written]);
  });
});
