import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEvents, type LarderEvent } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import type { BlobReader, BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';
import { ForwardingReader } from '../store/forwarding-reader.ts';
import { createMemoryStore } from '../store/memory.ts';
import { readWhole } from '../store/read-whole.ts';
import { SmallBlobs } from './small-blobs.ts';
import { StoredBlobs } from './stored-blobs.ts';

const CONFIG = Buffer.from('{"architecture":"amd64"}');
const LARGEST = Buffer.alloc(64 * 1024, 'x');
const LARGER = Buffer.alloc(64 * 1024 + 1, 'x');
const MEMORY = 1024 * 1024;

describe('small blobs', () => {
  let store: BlobStore;
  let index: ContentIndex;
  let events: LarderEvent[];
  /** Readers that the store has handed out, and those that are still open. */
  let opened: number;
  let open: number;
  /** Changes each reader that the store hands out. */
  let change: (reader: BlobReader) => BlobReader;

  beforeEach(async () => {
    store = createMemoryStore();
    index = await openSqliteIndex(':memory:');
    events = [];
    [opened, open] = [0, 0];
    change = (reader) => reader;
    for (const bytes of [CONFIG, LARGEST, LARGER]) await put(bytes, digestOf(bytes));
  });

  afterEach(async () => {
    await index.close();
  });

  async function put(bytes: Uint8Array, digest: Digest): Promise<void> {
    await using ingest = await store.ingest({ digest });
    await ingest.write([bytes]);
    await index.putBlob(await ingest.commit(), 1);
  }

  class CountedReader extends ForwardingReader {
    override async close(): Promise<void> {
      open -= 1;
      await super.close();
    }
  }

  function blobs(memoryBytes = MEMORY): SmallBlobs {
    const bus = createEvents();
    bus.subscribe((event) => events.push(event));
    const counted: BlobStore = {
      ...store,
      async open(digest) {
        const reader = await store.open(digest);
        if (reader === undefined) return undefined;
        opened += 1;
        open += 1;
        return new CountedReader(change(reader));
      },
    };
    const stored = new StoredBlobs({
      store: counted,
      index,
      events: bus,
      onSetAside: () => Promise.resolve(),
    });
    return new SmallBlobs({ stored, memoryBytes });
  }

  async function read(small: SmallBlobs, digest: Digest): Promise<Uint8Array | undefined> {
    const reader = await small.open(digest);
    return reader && readWhole(reader);
  }

  it('are read from the store once', async () => {
    const small = blobs();
    for (let times = 0; times < 3; times++) {
      expect(await read(small, digestOf(CONFIG))).toEqual(new Uint8Array(CONFIG));
    }
    expect([opened, open]).toEqual([1, 0]);
  });

  it('have 64 KiB at most', async () => {
    const small = blobs();
    for (const bytes of [LARGEST, LARGEST, LARGER, LARGER]) {
      expect(digestOf((await read(small, digestOf(bytes)))!)).toBe(digestOf(bytes));
    }
    expect(opened).toBe(3);
  });

  it('that the store does not have cannot be opened', async () => {
    expect(await blobs().open(digestOf('other'))).toBeUndefined();
  });

  it('are kept within the memory that is allowed', async () => {
    const none = blobs(0);
    for (let times = 0; times < 2; times++) await read(none, digestOf(CONFIG));
    expect(opened).toBe(2);
    const one = blobs(LARGEST.length + 600);
    for (const bytes of [CONFIG, LARGEST, CONFIG]) await read(one, digestOf(bytes));
    expect(opened).toBe(5);
  });

  it.each([
    ['just enough for both', 2 * 512 + 2 * CONFIG.length, 2],
    ['a byte too little', 2 * 512 + 2 * CONFIG.length - 1, 3],
  ])('take half a KiB beside their bytes: %s', async (_, memoryBytes, expected) => {
    const other = Buffer.from(CONFIG.toString().replace('amd64', 'arm64'));
    await put(other, digestOf(other));
    const small = blobs(memoryBytes);
    for (const bytes of [CONFIG, other, CONFIG]) await read(small, digestOf(bytes));
    expect(opened).toBe(expected);
  });

  it('are forgotten on `forget`, even while they are read', async () => {
    const small = blobs();
    await read(small, digestOf(CONFIG));
    small.forget([digestOf(CONFIG)]);
    const reading = read(small, digestOf(CONFIG));
    small.forget([digestOf(CONFIG)]);
    await reading;
    await read(small, digestOf(CONFIG));
    expect(opened).toBe(3);
  });

  it('that have rotted are set aside, and not served', async () => {
    change = (reader) =>
      new (class extends ForwardingReader {
        override async read(into: Uint8Array, position: number): Promise<number> {
          const count = await super.read(into, position);
          into[0]! ^= 1;
          return count;
        }
      })(reader);
    const small = blobs();
    expect(await small.open(digestOf(CONFIG))).toBeUndefined();
    expect(events).toMatchObject([{ kind: 'blob-quarantined', digest: digestOf(CONFIG) }]);
    expect(await index.blob(digestOf(CONFIG))).toBeUndefined();
    expect(open).toBe(0);
    expect(await small.open(digestOf(CONFIG))).toBeUndefined();
  });

  it('that cannot be read cannot be opened', async () => {
    change = (reader) =>
      new (class extends ForwardingReader {
        override read(): Promise<number> {
          return Promise.reject(new StoreError('read', { code: 'EMFILE' }));
        }
      })(reader);
    const small = blobs();
    await expect(small.open(digestOf(CONFIG))).rejects.toMatchObject({ code: 'EMFILE' });
    expect(open).toBe(0);
    expect(await index.blob(digestOf(CONFIG))).toBeDefined();
  });
});
