import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { scriptedBlob, type ScriptedBlob, type Transfer } from '../../../test/support/scripted-blob.ts';
import { bytesOf, ScriptedReader } from '../../../test/support/scripted-reader.ts';
import { createEvents } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { ResilientReader } from './resilient-reader.ts';

const SIZE = 5_000;
const CONTENT = bytesOf(0, SIZE);
const DIGEST = digestOf(CONTENT);
const FULL = new StoreError('write a blob', { code: 'ENOSPC' });

interface World {
  readonly reader: ResilientReader;
  readonly follower: ScriptedReader;
  readonly blob: ScriptedBlob;
}

/** A follower that fails at `failsAt`, in front of an upstream. */
function world(failsAt: number, failure: Error = FULL, transfer: Transfer = {}): World {
  const follower = new ScriptedReader(SIZE, { failsAt, failure });
  const blob = scriptedBlob(CONTENT, [transfer]);
  const options = { clock: new ManualClock(), events: createEvents() };
  return { reader: new ResilientReader(follower, blob.target, DIGEST, options), follower, blob };
}

/** A blob of which the disk does not give back the bytes at `from` and behind it. */
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

  test('where what came before cannot be read either, that is the end: nothing could be verified', async () => {
    const blob = scriptedBlob(CONTENT, [{}]);
    const options = { clock: new ManualClock(), events: createEvents() };
    const reader = new ResilientReader(new UnreadableReader(SIZE, 1_000), blob.target, DIGEST, options);
    await expect(reader.read(Buffer.alloc(10), 2_000)).rejects.toMatchObject({ code: 'EIO' });
    expect(blob.asked).toEqual([]);
  });

  test('wrong bytes of upstream are found out, since those of the store were hashed again', async () => {
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

  test('and upstream does too: its error is told, once', async () => {
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
])('a failure of something else is passed on: %s', async (_, failure) => {
  const { reader, blob } = world(1_234, failure);
  await expect(readAll(reader)).rejects.toBe(failure);
  expect(blob.asked).toEqual([]);
});

describe('closing', () => {
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
