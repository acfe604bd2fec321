import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { scriptedBlob, type ScriptedBlob, type Transfer } from '../../../test/support/scripted-blob.ts';
import {
  bytesOf,
  ScriptedReader,
  type ScriptedReaderOptions,
} from '../../../test/support/scripted-reader.ts';
import { createEvents } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { ResilientReader, type ResilientReaderOptions } from './resilient-reader.ts';

const SIZE = 5_000;
const CONTENT = bytesOf(0, SIZE);
const DIGEST = digestOf(CONTENT);
const FULL = new StoreError('write a blob', { code: 'ENOSPC' });

interface World {
  readonly reader: ResilientReader;
  readonly follower: ScriptedReader;
  readonly blob: ScriptedBlob;
}

/** Sets up a follower that fails at `failsAt`, and an upstream that has the blob. */
function world(failsAt: number, failure: Error = FULL, transfer: Transfer = {}): World {
  const follower = new ScriptedReader(SIZE, { failsAt, failure });
  const blob = scriptedBlob(CONTENT, [transfer]);
  const options = { clock: new ManualClock(), events: createEvents() };
  return { reader: new ResilientReader(follower, blob.target, DIGEST, options), follower, blob };
}

/** A reader of a blob that the disk can read only up to `from`. */
class UnreadableReader extends ScriptedReader {
  readonly #from: number;

  constructor(size: number, from: number) {
    super(size);
    this.#from = from;
  }

  override read(into: Uint8Array, position: number): Promise<number> {
    const readable = into.subarray(0, Math.max(0, this.#from - position));
    if (readable.length > 0) return super.read(readable, position);
    return Promise.reject(new StoreError('read a blob', { code: 'EIO' }));
  }
}

/** A reader of a blob that has no bytes at the position where it fails, or after it. */
class CutReader extends ScriptedReader {
  readonly #at: number;

  constructor(options: ScriptedReaderOptions & { readonly failsAt: number }) {
    super(SIZE, options);
    this.#at = options.endsAt ?? options.failsAt;
  }

  override read(into: Uint8Array, position: number): Promise<number> {
    const there = into.subarray(0, Math.max(0, this.#at - position));
    return there.length > 0 ? super.read(there, position) : Promise.reject(FULL);
  }
}

function over(follower: BlobReader, rest: Partial<ResilientReaderOptions> = {}): World {
  const blob = scriptedBlob(CONTENT, [{}]);
  const options = { clock: new ManualClock(), events: createEvents(), ...rest };
  const reader = new ResilientReader(follower, blob.target, DIGEST, options);
  return { reader, follower: follower as ScriptedReader, blob };
}

async function readOn(reader: ResilientReader, parts: Buffer[], position = 0): Promise<void> {
  for (;;) {
    const end = await reader.available(position);
    if (end === position) return;
    const into = Buffer.alloc(Math.min(700, end - position));
    const count = await reader.read(into, position);
    parts.push(into.subarray(0, count));
    position += count;
  }
}

async function readAll(reader: ResilientReader): Promise<Buffer> {
  const parts: Buffer[] = [];
  await readOn(reader, parts);
  return Buffer.concat(parts);
}

test('while the store holds, upstream is not asked', async () => {
  const { reader, blob } = world(Infinity);
  expect((await readAll(reader)).equals(CONTENT)).toBe(true);
  expect([reader.size, blob.asked]).toEqual([SIZE, []]);
});

describe('when the store fails', () => {
  test.each([0, 1, 1_234, SIZE - 1])('at %i, it goes on from upstream there', async (failsAt) => {
    const { reader, follower, blob } = world(failsAt);
    expect((await readAll(reader)).equals(CONTENT)).toBe(true);
    expect(blob.asked).toEqual([failsAt === 0 ? undefined : { start: failsAt, end: undefined }]);
    expect([reader.size, follower.isClosed]).toEqual([SIZE, true]);
  });

  test.each([0, 1, 1_234, SIZE - 1])(
    'bytes from %i on that cannot be read come from upstream',
    async (at) => {
      const follower = new UnreadableReader(SIZE, at);
      const blob = scriptedBlob(CONTENT, [{}]);
      const options = { clock: new ManualClock(), events: createEvents() };
      const reader = new ResilientReader(follower, blob.target, DIGEST, options);
      expect((await readAll(reader)).equals(CONTENT)).toBe(true);
      expect(blob.asked).toHaveLength(1);
      expect(follower.isClosed).toBe(true);
    },
  );

  test('it fails if the bytes before cannot be read either: nothing could be verified', async () => {
    const blob = scriptedBlob(CONTENT, [{}]);
    const options = { clock: new ManualClock(), events: createEvents() };
    const reader = new ResilientReader(new UnreadableReader(SIZE, 1_000), blob.target, DIGEST, options);
    await expect(reader.read(Buffer.alloc(10), 2_000)).rejects.toMatchObject({ code: 'EIO' });
    expect(blob.asked).toEqual([]);
  });

  test('wrong bytes from upstream are detected, since those of the store were hashed again', async () => {
    const wrong = Buffer.from(CONTENT);
    wrong[SIZE - 1] = 0xff;
    const { reader } = world(1_234, FULL, { content: wrong });
    const parts: Buffer[] = [];
    await expect(readOn(reader, parts)).rejects.toBeInstanceOf(VerificationError);
    expect(Buffer.concat(parts).length).toBeLessThan(SIZE);
  });

  test('at 1234, before the range that is waited for: it goes on from upstream there, and only there', async () => {
    const { reader, follower, blob } = world(1_234);
    const parts: Buffer[] = [];
    await readOn(reader, parts, 3_000);
    expect(Buffer.concat(parts).equals(CONTENT.subarray(3_000))).toBe(true);
    expect(blob.asked).toEqual([{ start: 3_000, end: undefined }]);
    expect(follower.isClosed).toBe(true);
  });

  test.each([
    ['breaks off there', { failsAt: 1_234 }],
    ['ends there', { failsAt: 3_000, endsAt: 1_234 }],
  ])('before the range that is waited for: it goes on from upstream if the file %s', async (_, options) => {
    const { reader, blob } = over(new CutReader({ ...options, failure: FULL }));
    const parts: Buffer[] = [];
    await readOn(reader, parts, 3_000);
    expect(Buffer.concat(parts).equals(CONTENT.subarray(3_000))).toBe(true);
    expect(blob.asked).toEqual([{ start: 3_000, end: undefined }]);
  });

  test('it hashes exactly the bytes that it has handed out, even if the file gives few at a time', async () => {
    const { reader } = over(new ScriptedReader(SIZE, { failsAt: 1_234, failure: FULL, perRead: 700 }));
    expect((await readAll(reader)).equals(CONTENT)).toBe(true);
  });

  test('it takes one MiB of memory to hash that, even if it is more', async () => {
    const size = 3 * 1024 * 1024;
    const follower = new ScriptedReader(size, { failsAt: size - 1, failure: FULL });
    const { reader } = over(follower);
    await reader.available(size - 1).catch(() => {});
    expect([...follower.buffers].map(({ byteLength }) => byteLength)).toEqual([1024 * 1024]);
    await reader.close();
  });

  test('an error that is not the store’s, meanwhile, is passed on', async () => {
    const bug = new TypeError('a bug');
    const follower = new ScriptedReader(SIZE);
    const failures: Error[] = [FULL, bug];
    follower.available = () => Promise.reject(failures.shift() ?? bug);
    const { reader, blob } = over(follower);
    await expect(reader.available(1_000)).rejects.toBe(bug);
    expect(blob.asked).toEqual([]);
  });

  test('it goes on by a shared transfer, if there is one', async () => {
    const positions: number[] = [];
    const { reader, blob } = over(new ScriptedReader(SIZE, { failsAt: 1_234, failure: FULL }), {
      shared(position, open) {
        positions.push(position);
        return open(position);
      },
    });
    expect((await readAll(reader)).equals(CONTENT)).toBe(true);
    expect([positions, blob.asked.length, blob.open()]).toEqual([[1_234], 1, 0]);
  });

  test('it leaves the shared transfer if the bytes before cannot be read', async () => {
    const { reader, blob } = over(new UnreadableReader(SIZE, 1_000), {
      shared: (position, open) => open(position),
    });
    await expect(reader.read(Buffer.alloc(10), 2_000)).rejects.toMatchObject({ code: 'EIO' });
    expect([blob.asked.length, blob.open()]).toEqual([1, 0]);
  });

  test('and upstream does too, it fails with upstream’s error, once', async () => {
    const refuses = new UpstreamError('registry.test', 'throttled', 'rate-limit', 'too many');
    const { reader, follower, blob } = world(1_234, FULL, { refuses });
    await expect(reader.available(1_234)).rejects.toBe(refuses);
    await expect(reader.available(1_234)).rejects.toBe(FULL);
    expect(blob.asked).toHaveLength(1);
    await reader.close();
    expect(follower.isClosed).toBe(true);
  });
});

test.each<[string, Error]>([
  ['wrong bytes', new VerificationError({ digest: DIGEST }, 'other bytes')],
  ['upstream', new UpstreamError('registry.test', 'unavailable', 'reset', 'broke off')],
])('an error that is not the store’s is passed on: %s', async (_, failure) => {
  const { reader, blob } = world(1_234, failure);
  await expect(readAll(reader)).rejects.toBe(failure);
  expect(blob.asked).toEqual([]);
});

test('a delivery may send the file of the follower itself, until the store has failed', async () => {
  const { reader } = over(new ScriptedReader(SIZE, { fd: 7, failsAt: 1_234, failure: FULL }));
  expect(reader.fd).toBe(7);
  await reader.available(1_234);
  expect(reader.fd).toBeUndefined();
  await reader.close();
});

describe('closing', () => {
  test('is over once the follower is closed', async () => {
    const closing = Promise.withResolvers<void>();
    const follower = new ScriptedReader(SIZE);
    follower.close = () => closing.promise;
    let isOver = false;
    const closed = over(follower)
      .reader.close()
      .then(() => (isOver = true));
    await setImmediate();
    expect(isOver).toBe(false);
    closing.resolve();
    expect(await closed).toBe(true);
  });

  test('closes the follower; nothing is asked for afterwards', async () => {
    const { reader, follower, blob } = world(1_234);
    await reader.close();
    expect(follower.isClosed).toBe(true);
    await expect(reader.available(0)).rejects.toThrow('closed');
    expect(blob.asked).toEqual([]);
  });

  test('ends the transfer that has taken the follower’s place', async () => {
    const { reader, blob } = world(1_234);
    await reader.available(1_234);
    expect(blob.open()).toBe(1);
    await reader.close();
    expect(blob.open()).toBe(0);
  });

  test('while upstream is being asked leaves no transfer behind', async () => {
    const follower = new ScriptedReader(SIZE, { failsAt: 0, failure: FULL });
    const blob = scriptedBlob(CONTENT, [{}]);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const { upstream } = blob.target;
    const slow: typeof upstream = {
      ...upstream,
      async blob(...question) {
        asked.resolve();
        await answer.promise;
        return upstream.blob(...question);
      },
    };
    const options = { clock: new ManualClock(), events: createEvents() };
    const reader = new ResilientReader(follower, { ...blob.target, upstream: slow }, DIGEST, options);
    const next = reader.available(0).catch(() => undefined);
    await asked.promise;
    await reader.close();
    answer.resolve();
    await next;
    expect([blob.asked.length, blob.open()]).toEqual([1, 0]);
  });
});
