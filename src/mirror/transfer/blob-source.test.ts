import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { breakOff, scriptedBlob, type Transfer } from '../../../test/support/scripted-blob.ts';
import { bytesOf } from '../../../test/support/scripted-reader.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { limitBlobs } from '../../upstream/protect/limit-blobs.ts';
import { FairTurns } from '../../upstream/protect/fair-turns.ts';
import type { ByteRange, Upstream } from '../../upstream/upstream.ts';
import { BlobSource } from './blob-source.ts';
import type { Target } from '../target.ts';

const CONTENT = bytesOf(0, 10_000);
const DIGEST = digestOf(CONTENT);
const BREAK: Transfer = { upTo: 0, breaks: breakOff() };

/** A clock whose waits end at once, and are noted. */
class HurriedClock extends ManualClock {
  readonly waits: number[] = [];

  override after(ms: number, callback: () => void): () => void {
    this.waits.push(ms);
    const cancel = super.after(ms, callback);
    queueMicrotask(() => this.advance(ms));
    return cancel;
  }
}

interface Fetched {
  readonly bytes: Buffer;
  readonly error: unknown;
  readonly asked: readonly (ByteRange | undefined)[];
  readonly resumed: readonly number[];
  readonly waits: readonly number[];
  /** Bodies left open. */
  readonly left: number;
}

async function fetch(
  transfers: readonly Transfer[],
  range: ByteRange = { start: 0 },
  options: Parameters<typeof scriptedBlob>[2] = {},
): Promise<Fetched> {
  const { target, asked, open } = scriptedBlob(CONTENT, transfers, options);
  const clock = new HurriedClock();
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  const chunks: Uint8Array[] = [];
  let error: unknown;
  try {
    const source = await BlobSource.open(target, DIGEST, range, { clock, events });
    for await (const pieces of source.pieces()) chunks.push(...pieces);
  } catch (caught) {
    error = caught;
  }
  const resumed = told.flatMap((event) => (event.kind === 'fill-resumed' ? [event.offset] : []));
  return { bytes: Buffer.concat(chunks), error, asked, resumed, waits: clock.waits, left: open() };
}

describe('the bytes of a blob', () => {
  test('the whole is asked for without a range', async () => {
    const { bytes, error, asked, resumed, left } = await fetch([{}]);
    expect([error, asked, resumed, left]).toEqual([undefined, [undefined], [], 0]);
    expect(bytes.equals(CONTENT)).toBe(true);
  });

  test.each<[string, Transfer]>([
    ['is honoured', {}],
    ['is ignored: the bytes before the part are read past', { ignoresRange: true }],
  ])('a part: Range %s', async (_, transfer) => {
    const { bytes, asked } = await fetch([transfer], { start: 1_500, end: 4_321 });
    expect(asked).toEqual([{ start: 1_500, end: 4_321 }]);
    expect(bytes.equals(CONTENT.subarray(1_500, 4_321))).toBe(true);
  });

  test('each byte comes once and in order, wherever transfers break, and if they ignore Range', async () => {
    const transfer = fc.record({
      upTo: fc.nat(4_000),
      breaks: fc.option(fc.constant(breakOff()), { nil: undefined }),
      ignoresRange: fc.boolean(),
    });
    const scenario = fc.record({
      transfers: fc.array(transfer, { maxLength: 4 }),
      chunk: fc.integer({ min: 1, max: 3_000 }),
      start: fc.nat(9_999),
      length: fc.option(fc.integer({ min: 1, max: 9_999 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ transfers, chunk, start, length }) => {
        const end = length === undefined ? undefined : Math.min(start + length, CONTENT.length);
        const told = transfers.map(({ breaks, ...rest }) =>
          breaks === undefined ? rest : { ...rest, breaks },
        );
        const { bytes, error, left } = await fetch([...told, {}], { start, end }, { chunk });
        expect([error, left]).toEqual([undefined, 0]);
        expect(bytes.equals(CONTENT.subarray(start, end))).toBe(true);
      }),
    );
  });
});

describe('a transfer that breaks', () => {
  test('is taken up again at its offset, at once, and that is reported', async () => {
    const { bytes, asked, resumed, waits } = await fetch([{ upTo: 3_000, breaks: breakOff() }, {}]);
    expect(bytes.equals(CONTENT)).toBe(true);
    expect([asked, resumed, waits]).toEqual([[undefined, { start: 3_000, end: undefined }], [3_000], []]);
  });

  test('is taken up again also if it ends as if that were all', async () => {
    const { bytes, resumed } = await fetch([{ upTo: 9_999 }, {}]);
    expect(bytes.equals(CONTENT)).toBe(true);
    expect(resumed).toEqual([9_999]);
  });

  test('is not noticed if the size is unknown', async () => {
    const { bytes, error } = await fetch([{ upTo: 3_000 }, {}], { start: 0 }, { isSizeUnknown: true });
    expect([bytes.length, error]).toEqual([3_000, undefined]);
  });

  test('without progress is waited for longer and longer, and then given up', async () => {
    const { error, asked, waits, left } = await fetch([{ upTo: 1_000, breaks: breakOff() }, BREAK]);
    expect(error).toMatchObject({ failure: 'unavailable', reason: 'reset' });
    expect(asked).toHaveLength(6);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
    expect(left).toBe(0);
  });

  test('that brings nothing for a minute is given up, once it has been taken up again', async () => {
    const clock = new HurriedClock();
    const { target, asked } = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, BREAK]);
    const { upstream } = target;
    const slow: typeof upstream = {
      ...upstream,
      blob(...question) {
        if (asked.length > 0) clock.advance(40_000);
        return upstream.blob(...question);
      },
    };
    const options = { clock, events: createEvents() };
    const source = await BlobSource.open({ ...target, upstream: slow }, DIGEST, { start: 0 }, options);
    const read = async (): Promise<void> => {
      for await (const pieces of source.pieces()) expect(pieces).toHaveLength(1);
    };
    await expect(read()).rejects.toMatchObject({ reason: 'reset' });
    expect([asked.length, clock.waits]).toEqual([3, [500]]);
  });

  test('after a long silence is taken up again all the same, once', async () => {
    const clock = new HurriedClock();
    const { target, asked } = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, {}]);
    const source = await BlobSource.open(target, DIGEST, { start: 0 }, { clock, events: createEvents() });
    let length = 0;
    for await (const pieces of source.pieces()) {
      length += Buffer.concat(pieces).length;
      clock.advance(100_000);
    }
    expect([length, asked.length]).toEqual([CONTENT.length, 2]);
  });

  test('with a little progress each time is given up after a bounded number of times', async () => {
    const { error, asked } = await fetch([{ upTo: 1, breaks: breakOff() }]);
    expect(error).toMatchObject({ reason: 'reset' });
    expect(asked).toHaveLength(21);
  });

  test.each<[string, Error]>([
    ['was cancelled', breakOff('cancelled')],
    ['upstream must not be asked to go on with', breakOff('offline')],
    ['upstream refuses', new UpstreamError('registry.test', 'denied', 'unauthorized', 'no')],
    ['fails for a reason of ours', new TypeError('a bug')],
  ])('that %s is not taken up again', async (_, breaks) => {
    const { error, asked, left } = await fetch([{ upTo: 1_000, breaks }, {}]);
    expect(error).toBe(breaks);
    expect([asked.length, left]).toEqual([1, 0]);
  });

  test('that is refused when it is taken up again fails with that refusal', async () => {
    const refuses = new UpstreamError('registry.test', 'absent', 'not-found', 'gone');
    const { error } = await fetch([{ upTo: 1_000, breaks: breakOff() }, { refuses }]);
    expect(error).toBe(refuses);
  });
});

describe('a blob that is known to be in several places', () => {
  const SECOND = 'second.test';

  /** Returns a body that sends these bytes, and then stays open and silent. */
  function silentAfter(bytes: number): Readable {
    const body = new Readable({ objectMode: true, read() {} });
    body.push([CONTENT.subarray(0, bytes)]);
    return body;
  }

  function elsewhere(scripted: ReturnType<typeof scriptedBlob>, name = SECOND): Target {
    return { ...scripted.target, key: { ...scripted.target.key, registry: name } };
  }

  /** Moves the clock on whenever nothing happens. */
  async function hurried<T>(clock: ManualClock, pending: Promise<T>): Promise<T> {
    const over = new AbortController();
    void pending.catch(() => {}).then(() => over.abort());
    while (!over.signal.aborted) {
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      clock.advanceToNext();
    }
    return pending;
  }

  async function bytesFrom(source: BlobSource): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const pieces of source.pieces()) chunks.push(...pieces);
    return Buffer.concat(chunks);
  }

  test('goes on at once from the one that joined last, and comes back to the first in its turn', async () => {
    const first = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, {}]);
    const second = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }]);
    const third = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }]);
    const clock = new ManualClock();
    const source = await BlobSource.open(
      first.target,
      DIGEST,
      { start: 0 },
      { clock, events: createEvents() },
    );
    source.join(elsewhere(second));
    source.join(elsewhere(third, 'third.test'));
    source.join(elsewhere(third, 'third.test'));
    expect((await bytesFrom(source)).equals(CONTENT)).toBe(true);
    expect(first.asked.map((range) => range?.start)).toEqual([undefined, 3_000]);
    expect([third.asked, second.asked]).toEqual([[{ start: 1_000 }], [{ start: 2_000 }]]);
    expect([first.open(), second.open(), third.open()]).toEqual([0, 0, 0]);
  });

  test('is had from the other one after five seconds without a byte, counted from the last byte', async () => {
    const second = scriptedBlob(CONTENT, [{}]);
    const first = scriptedBlob(CONTENT, []);
    const body = silentAfter(1_000);
    const upstream: Upstream = {
      ...first.target.upstream,
      blob: () => Promise.resolve({ body, start: 0, size: CONTENT.length }),
    };
    const clock = new ManualClock();
    const options = { clock, events: createEvents() };
    const source = await BlobSource.open({ ...first.target, upstream }, DIGEST, { start: 0 }, options);
    const reading = bytesFrom(source);
    await expect.poll(() => source.offset).toBe(1_000);
    await setImmediate();
    clock.advance(4_000);
    expect(clock.pending).toBe(0);
    source.join(elsewhere(second));
    clock.advance(999);
    expect(second.asked).toHaveLength(0);
    clock.advance(1);
    expect((await reading).equals(CONTENT)).toBe(true);
    expect([body.destroyed, clock.pending]).toEqual([true, 0]);
  });

  test('a place that does not even answer is left as soon', async () => {
    const first = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, {}]);
    const second = scriptedBlob(CONTENT, []);
    const silent: Upstream = {
      ...second.target.upstream,
      blob: (_, __, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(breakOff('cancelled')));
        }),
    };
    const clock = new ManualClock();
    const source = await BlobSource.open(
      first.target,
      DIGEST,
      { start: 0 },
      { clock, events: createEvents() },
    );
    source.join({ ...elsewhere(second), upstream: silent });
    expect((await hurried(clock, bytesFrom(source))).equals(CONTENT)).toBe(true);
    expect([first.asked.length, clock.monotonic()]).toEqual([2, 5_000]);
  });

  test.each<[string, UpstreamError]>([
    ['has it no more', new UpstreamError(SECOND, 'absent', 'not-found', 'gone', { isVerdict: true })],
    ['will not give it', new UpstreamError(SECOND, 'denied', 'unauthorized', 'no')],
  ])('a place that %s is not asked again', async (_, refuses) => {
    const broken: Transfer = { upTo: 1_000, breaks: breakOff() };
    const first = scriptedBlob(CONTENT, [broken, broken, {}]);
    const second = scriptedBlob(CONTENT, [{ refuses }]);
    const clock = new ManualClock();
    const source = await BlobSource.open(
      first.target,
      DIGEST,
      { start: 0 },
      { clock, events: createEvents() },
    );
    source.join(elsewhere(second));
    expect((await bytesFrom(source)).equals(CONTENT)).toBe(true);
    expect([first.asked.length, second.asked.length]).toEqual([3, 1]);
  });

  test('is given up after a bounded number of rounds if none of them sends anything', async () => {
    const first = scriptedBlob(CONTENT, [BREAK]);
    const second = scriptedBlob(CONTENT, [BREAK]);
    const clock = new ManualClock();
    const source = await BlobSource.open(
      first.target,
      DIGEST,
      { start: 0 },
      { clock, events: createEvents() },
    );
    source.join(elsewhere(second));
    await expect(hurried(clock, bytesFrom(source))).rejects.toMatchObject({ reason: 'reset' });
    expect([first.asked.length, second.asked.length]).toEqual([5, 5]);
  });
});

describe('a transfer that is merely slow', () => {
  /** The pace of one answer: the bytes that it sends each second, from where it begins. */
  interface Pace {
    readonly bytes: number;
    readonly ignoresRange?: boolean;
    readonly refuses?: UpstreamError;
  }

  /** Sets up an upstream that gives these answers in turn; the last one for ever. */
  function dripping(content: Uint8Array, paces: readonly Pace[]) {
    const clock = new ManualClock();
    const { target } = scriptedBlob(content, []);
    const asked: { start: number | undefined; second: number }[] = [];
    const bodies = { open: 0 };
    const upstream: Upstream = {
      ...target.upstream,
      blob(_, __, { range } = {}) {
        const pace = paces[Math.min(asked.length, paces.length - 1)] ?? { bytes: 1 };
        asked.push({ start: range?.start, second: clock.monotonic() / 1_000 });
        if (pace.refuses !== undefined) return Promise.reject(pace.refuses);
        const start = pace.ignoresRange === true ? 0 : (range?.start ?? 0);
        let isOpen = true;
        bodies.open += 1;
        const destroy = (): void => {
          bodies.open -= isOpen ? 1 : 0;
          isOpen = false;
        };
        async function* body(): AsyncGenerator<Uint8Array[]> {
          try {
            for (let at = start; at < content.length; at += pace.bytes) {
              clock.advance(1_000);
              yield [content.subarray(at, at + pace.bytes)];
            }
          } finally {
            destroy();
          }
        }
        const bytes = Object.assign(body(), { destroy });
        return Promise.resolve({ body: bytes, start, size: content.length });
      },
    };
    return { target: { ...target, upstream }, clock, asked, bodies };
  }

  async function read(world: ReturnType<typeof dripping>): Promise<{ bytes: Buffer; source: BlobSource }> {
    const options = { clock: world.clock, events: createEvents() };
    const source = await BlobSource.open(world.target, DIGEST, { start: 0 }, options);
    return { bytes: await bytesOfSource(source), source };
  }

  async function bytesOfSource(source: BlobSource): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const pieces of source.pieces()) chunks.push(...pieces);
    return Buffer.concat(chunks);
  }

  test('is requested anew at its offset, and goes on by the new answer', async () => {
    const world = dripping(CONTENT, [{ bytes: 1 }, { bytes: 5_000 }]);
    const { bytes, source } = await read(world);
    expect(bytes.equals(CONTENT)).toBe(true);
    expect(world.asked).toEqual([
      { start: undefined, second: 0 },
      { start: 60, second: 60 },
    ]);
    expect([source.isPutTogether, world.bodies.open]).toEqual([true, 0]);
  });

  test('is never given up for that alone', async () => {
    const world = dripping(CONTENT, [{ bytes: 1 }]);
    const { bytes } = await read(world);
    expect(bytes.equals(CONTENT)).toBe(true);
    // Every five minutes, which are 300 bytes.
    expect(world.asked.slice(1).map(({ start }) => start)).toEqual(
      Array.from({ length: 34 }, (_, index) => 60 + 300 * index),
    );
    expect(world.bodies.open).toBe(0);
  });

  test.each<[string, UpstreamError]>([
    ['will not give it anew', new UpstreamError('registry.test', 'throttled', 'rate-limit', 'later')],
    ['cannot be reached anew', breakOff()],
    ['has it no more', new UpstreamError('registry.test', 'absent', 'not-found', 'gone')],
  ])('goes on as it is if upstream %s', async (_, refuses) => {
    const content = CONTENT.subarray(0, 1_000);
    const world = dripping(content, [{ bytes: 1 }, { bytes: 0, refuses }]);
    const { bytes, source } = await read(world);
    expect(bytes.equals(content)).toBe(true);
    expect(world.asked.map(({ second }) => second)).toEqual([0, 60, 360, 660, 960]);
    expect([source.isPutTogether, world.bodies.open]).toEqual([false, 0]);
  });

  test('goes on as it is if it holds the last turn: it does not wait for a second one', async () => {
    const world = dripping(CONTENT, [{ bytes: 1 }, { bytes: 5_000 }]);
    const limits = { turns: { bodies: new FairTurns(1), questions: new FairTurns(1) }, waitMs: 30_000 };
    const upstream = limitBlobs(world.target.upstream, limits, world.clock);
    const { bytes } = await read({ ...world, target: { ...world.target, upstream } });
    expect(bytes.equals(CONTENT)).toBe(true);
    expect([world.asked.length, world.clock.pending, world.bodies.open]).toEqual([1, 0, 0]);
  });

  test('goes on as it is if several hold all turns, and each wants a second one', async () => {
    const world = dripping(CONTENT, [{ bytes: 1 }]);
    const limits = { turns: { bodies: new FairTurns(2), questions: new FairTurns(1) }, waitMs: 30_000 };
    const upstream = limitBlobs(world.target.upstream, limits, world.clock);
    const limited = { ...world, target: { ...world.target, upstream } };
    const both = await Promise.all([read(limited), read(limited)]);
    expect(both.map(({ bytes }) => bytes.equals(CONTENT))).toEqual([true, true]);
    expect([world.clock.pending, world.bodies.open]).toEqual([0, 0]);
  });

  test('goes on as it is if upstream ignores Range, and is not requested again', async () => {
    const world = dripping(CONTENT, [{ bytes: 1 }, { bytes: 5_000, ignoresRange: true }]);
    const { bytes, source } = await read(world);
    expect(bytes.equals(CONTENT)).toBe(true);
    expect([world.asked.length, world.bodies.open, source.isPutTogether]).toEqual([2, 0, false]);
  });

  test('goes on from another repository of the upstream, if there is one', async () => {
    const world = dripping(CONTENT, [{ bytes: 1 }]);
    const other = scriptedBlob(CONTENT, [{}]);
    const key = { ...other.target.key, repository: 'acme/other' as RepositoryName };
    const options = { clock: world.clock, events: createEvents() };
    const source = await BlobSource.open(world.target, DIGEST, { start: 0 }, options);
    source.join({ ...other.target, key });
    expect((await bytesOfSource(source)).equals(CONTENT)).toBe(true);
    expect([world.asked.length, other.asked]).toEqual([1, [{ start: 60, end: undefined }]]);
    expect([source.isWholeFromFirst, world.bodies.open, other.open()]).toEqual([false, 0, 0]);
  });
});

describe('giving up', () => {
  test.each(['destroy', 'signal'])('by %s ends a wait at once', async (way) => {
    const { target, asked } = scriptedBlob(CONTENT, [BREAK]);
    const clock = new ManualClock();
    const giveUp = new AbortController();
    const options = { clock, events: createEvents(), signal: giveUp.signal };
    const source = await BlobSource.open(target, DIGEST, { start: 0 }, options);
    const next = source.pieces().next();
    await expect.poll(() => clock.pending).toBe(1);
    if (way === 'signal') giveUp.abort();
    else source.destroy();
    await expect(next).rejects.toMatchObject({ reason: 'reset' });
    expect([clock.pending, asked.length]).toEqual([0, 1]);
  });

  test.each(['at once', 'late'])(
    'while it is taken up again leaves no body open that comes %s',
    async (when) => {
      const scripted = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, {}]);
      const answer = Promise.withResolvers<void>();
      let told: AbortSignal | undefined;
      const upstream: Upstream = {
        ...scripted.target.upstream,
        async blob(...question) {
          const blob = await scripted.target.upstream.blob(...question);
          told = question[2]?.signal;
          if (scripted.asked.length > 1) await answer.promise;
          return blob;
        },
      };
      const options = { clock: new ManualClock(), events: createEvents() };
      const source = await BlobSource.open({ ...scripted.target, upstream }, DIGEST, { start: 0 }, options);
      const arriving = source.pieces();
      await arriving.next();
      const next = arriving.next();
      await expect.poll(() => scripted.asked.length).toBe(2);
      if (when === 'at once') answer.resolve();
      source.destroy();
      expect(told?.aborted).toBe(true);
      answer.resolve();
      await expect(next).rejects.toMatchObject({ reason: 'cancelled' });
      expect(scripted.open()).toBe(0);
    },
  );

  test('before anything is read leaves no body open', async () => {
    const { target, open } = scriptedBlob(CONTENT, [{}]);
    const options = { clock: new ManualClock(), events: createEvents() };
    const source = await BlobSource.open(target, DIGEST, { start: 0 }, options);
    expect(open()).toBe(1);
    source.destroy();
    expect(open()).toBe(0);
  });

  test('in the middle of a body leaves none open either', async () => {
    const { target, open } = scriptedBlob(CONTENT, [{}]);
    const options = { clock: new ManualClock(), events: createEvents() };
    const source = await BlobSource.open(target, DIGEST, { start: 0 }, options);
    for await (const [piece] of source.pieces()) {
      expect(piece).toHaveLength(1_000);
      break;
    }
    expect([source.offset, open()]).toEqual([1_000, 0]);
  });
});
