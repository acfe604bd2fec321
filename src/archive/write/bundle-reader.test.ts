import * as fc from 'fast-check';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import { HeldStore } from '../../store/held-store.ts';
import { readWhole } from '../../store/read-whole.ts';
import { blobPath, LAYOUT_BYTES, LAYOUT_FILE } from '../layout/paths.ts';
import { layOut, type Bundle, type BundleFile } from './bundle.ts';
import { BundleGapError, BundleReader } from './bundle-reader.ts';

async function stored(contents: readonly Uint8Array[]): Promise<{ store: BlobStore; files: BundleFile[] }> {
  const store = createMemoryStore();
  const files: BundleFile[] = [{ path: LAYOUT_FILE, size: LAYOUT_BYTES.length, content: LAYOUT_BYTES }];
  for (const bytes of contents) {
    const digest = digestOf(bytes);
    await using ingest = await store.ingest({ digest, size: bytes.length });
    await ingest.write([bytes]);
    await ingest.commit();
    files.push({ path: blobPath(digest), size: bytes.length, content: digest });
  }
  return { store, files };
}

const readerOf = (bundle: Bundle, store: BlobStore): BundleReader =>
  new BundleReader(bundle, (digest) => store.open(digest));

const wholeOf = (bundle: Bundle, store: BlobStore): Promise<Uint8Array> => readWhole(readerOf(bundle, store));

const CONTENTS = fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 6 });

describe('a bundle', () => {
  it('is a tar archive of its files', async () => {
    await fc.assert(
      fc.asyncProperty(CONTENTS, async (contents) => {
        const { store, files } = await stored(contents);
        const bundle = await layOut(files);
        const entries = await unpackTar(await wholeOf(bundle, store), { strict: true });
        expect(entries.map(({ header }) => header.name)).toEqual(files.map(({ path }) => path));
        const datas = entries.map(({ data }) => new Uint8Array(data ?? []));
        expect(datas).toEqual([LAYOUT_BYTES, ...contents]);
      }),
      { numRuns: 30 },
    );
  });

  it('has the same bytes wherever a reader begins', async () => {
    const places = fc.array(fc.tuple(fc.nat({ max: 12_000 }), fc.integer({ min: 1, max: 3_000 })));
    await fc.assert(
      fc.asyncProperty(CONTENTS, places, async (contents, places) => {
        const { store, files } = await stored(contents);
        const bundle = await layOut(files);
        const whole = await wholeOf(bundle, store);
        expect(whole.length).toBe(bundle.size);
        const reader = readerOf(bundle, store);
        for (const [place, length] of places) {
          const position = place % bundle.size;
          const into = new Uint8Array(length);
          const count = await reader.read(into, position);
          expect(count).toBeGreaterThan(0);
          expect(into.subarray(0, count)).toEqual(whole.subarray(position, position + count));
        }
        await reader.close();
      }),
      { numRuns: 30 },
    );
  });

  it('has an identity that the same files give again, and no others', async () => {
    const { files } = await stored([new Uint8Array(3), new Uint8Array(4)]);
    const { identity } = await layOut(files);
    expect((await layOut(files)).identity).toBe(identity);
    expect((await layOut(files.toReversed())).identity).not.toBe(identity);
    expect((await layOut(files.slice(1))).identity).not.toBe(identity);
  });
});

describe('a reader of a bundle', () => {
  it('holds one blob at a time, and none once it is closed', async () => {
    const { store: inner, files } = await stored([new Uint8Array(3), new Uint8Array(4)]);
    const store = new HeldStore(inner);
    const bundle = await layOut(files);
    const reader = readerOf(bundle, store);
    const held: (readonly Digest[])[] = [];
    for (const { offset } of bundle.segments) {
      await reader.read(new Uint8Array(1), offset);
      held.push(store.held);
    }
    expect(Math.max(...held.map(({ length }) => length))).toBe(1);
    await reader.close();
    expect(store.held).toEqual([]);
    await expect(reader.read(new Uint8Array(1), 0)).rejects.toThrow('closed');
  });

  it('that is closed while it opens a blob leaves none open', async () => {
    const { store: inner, files } = await stored([new Uint8Array(3)]);
    const store = new HeldStore(inner);
    const bundle = await layOut(files);
    const reader = readerOf(bundle, store);
    const reading = reader.read(new Uint8Array(1), bundle.segments.at(-3)?.offset ?? 0);
    await reader.close();
    await expect(reading).rejects.toThrow('closed');
    expect(store.held).toEqual([]);
  });

  it('fails at a blob that has gone, and names it', async () => {
    const { store, files } = await stored([new Uint8Array(3)]);
    const bundle = await layOut(files);
    await store.delete(digestOf(new Uint8Array(3)));
    await expect(wholeOf(bundle, store)).rejects.toThrow(digestOf(new Uint8Array(3)));
  });

  it('fails at a blob of another size than was laid out', async () => {
    const { store, files } = await stored([new Uint8Array(3)]);
    const bundle = await layOut(
      files.map((file) => ({ ...file, size: file.size + (file.size === 3 ? 1 : 0) })),
    );
    await expect(wholeOf(bundle, store)).rejects.toThrow(BundleGapError);
  });

  it('has nothing to read behind the end', async () => {
    const { store, files } = await stored([]);
    const bundle = await layOut(files);
    await expect(readerOf(bundle, store).read(new Uint8Array(1), bundle.size)).rejects.toThrow(RangeError);
  });
});
