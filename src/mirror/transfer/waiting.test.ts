import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { HeldUpstream } from '../../../test/support/memory-cache.ts';
import { breakOff, scriptedBlob } from '../../../test/support/scripted-blob.ts';
import { bytesOf } from '../../../test/support/scripted-reader.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import type { ByteRange, FetchedBlob } from '../../upstream/upstream.ts';
import type { Target } from '../target.ts';
import { BlobSource } from './blob-source.ts';

const CONTENT = bytesOf(0, 10_000);
const DIGEST = digestOf(CONTENT);

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
}

/** Reads a transfer from two repositories. */
async function reading(first: Target, second: Target, clock = new ManualClock()) {
  clock.advance(1_000_000);
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  const source = await BlobSource.open(first, DIGEST, { start: 0 }, { clock, events });
  source.join(second);
  const state = { text: '', error: undefined as unknown, isOver: false };
  const over = (async () => {
    try {
      for await (const pieces of source.pieces()) state.text += Buffer.concat(pieces).toString();
      state.isOver = true;
    } catch (error) {
      state.error = error;
    }
  })();
  await turns();
  return { source, clock, state, over, told };
}

/** Returns a repository that gives these answers in turn; the last one for ever. */
function answering(
  repository: string,
  ...answers: ((range: ByteRange) => FetchedBlob | Promise<FetchedBlob>)[]
): { target: Target; asked: number[] } {
  const asked: number[] = [];
  const target = targetOf(
    {
      ...new StubUpstream().upstream,
      async blob(_, __, { range = { start: 0 } } = {}) {
        const answer = answers[Math.min(asked.length, answers.length - 1)];
        asked.push(range.start);
        return await answer!(range);
      },
    },
    repository,
  );
  return { target, asked };
}

function bodyOf(size: number): { body: Readable; answer: (range: ByteRange) => FetchedBlob } {
  const body = new Readable({ objectMode: true, read: () => {} });
  body.on('error', () => {});
  return { body, answer: ({ start }) => ({ body, start, size }) };
}

describe('of two repositories', () => {
  test('the other one is asked if for five seconds only bytes have come that are not wanted', async () => {
    const first = new HeldUpstream(10);
    const { body } = bodyOf(10);
    const second = answering('acme/other', () => ({ body, start: 0, size: 10 }));
    const { clock, state, over } = await reading(first.target(), second.target);
    first.bodies[0]?.push([Buffer.from('01234567')]);
    await turns();
    first.bodies[0]?.destroy(breakOff());
    await turns();
    expect(second.asked).toEqual([8]);
    for (let second = 0; second < 4; second += 1) {
      clock.advance(1_000);
      body.push([Buffer.from('x')]);
      await turns();
    }
    expect(first.asked).toHaveLength(1);
    clock.advance(1_000);
    await turns();
    expect([body.destroyed, first.asked[1]?.start]).toEqual([true, 8]);
    first.send(Buffer.from('89'));
    await over;
    expect([state.text, state.isOver, clock.pending]).toEqual(['0123456789', true, 0]);
  });

  test('the time that a client takes for the bytes that it has does not count as waiting', async () => {
    const first = new HeldUpstream(10);
    const second = new HeldUpstream(10);
    const clock = new ManualClock();
    const options = { clock, events: createEvents() };
    const source = await BlobSource.open(first.target(), DIGEST, { start: 0 }, options);
    source.join(second.target('acme/other'));
    const pieces = source.pieces();
    first.bodies[0]?.push([Buffer.from('01234')]);
    await pieces.next();
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    const next = pieces.next();
    await turns();
    first.send(Buffer.from('56789'));
    expect((await next).done).toBe(false);
    expect([(await pieces.next()).done, second.asked.length]).toEqual([true, 0]);
  });

  test('one that did not answer in time is asked again in its turn', async () => {
    const first = scriptedBlob(CONTENT, [
      { upTo: 1_000, breaks: breakOff() },
      { upTo: 0, breaks: breakOff() },
    ]);
    const second = scriptedBlob(CONTENT, [{}]);
    let isFirst = true;
    const silentOnce: Target = {
      ...targetOf(second.target.upstream, 'acme/other'),
      upstream: {
        ...second.target.upstream,
        blob(...question) {
          if (!isFirst) return second.target.upstream.blob(...question);
          isFirst = false;
          return new Promise((_, reject) => {
            question[2]?.signal?.addEventListener('abort', () => reject(breakOff('cancelled')));
          });
        },
      },
    };
    const { clock, over, state } = await reading(first.target, silentOnce);
    for (let step = 0; step < 10 && !state.isOver; step += 1) {
      clock.advanceToNext();
      await turns();
    }
    await over;
    expect([state.isOver, second.asked]).toEqual([true, [{ start: 1_000, end: undefined }]]);
  });

  test('none is asked after a failure of ours', async () => {
    const bug = new TypeError('a bug');
    const first = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: bug }]);
    const second = scriptedBlob(CONTENT, [{}]);
    const other = targetOf(second.target.upstream, 'acme/other');
    const { state, over } = await reading(first.target, other);
    await over;
    expect([state.error, second.asked]).toEqual([bug, []]);
  });

  test('the one at which a slow transfer went on is left if it falls silent', async () => {
    const slow = bodyOf(100);
    const silent = bodyOf(100);
    const first = answering('acme/app', slow.answer, (range) => ({
      body: Readable.from([[Buffer.alloc(100 - range.start, 'z')]]),
      start: range.start,
      size: 100,
    }));
    const second = answering('acme/other', silent.answer);
    const { clock, state, over, told } = await reading(first.target, second.target);
    for (let step = 0; step < 15; step += 1) {
      clock.advance(4_000);
      slow.body.push([Buffer.from('x')]);
      await turns();
    }
    expect([second.asked, slow.body.destroyed]).toEqual([[15], true]);
    expect(told).toMatchObject([{ kind: 'fill-resumed', offset: 15 }]);
    clock.advance(5_000);
    await turns();
    expect([silent.body.destroyed, first.asked]).toEqual([true, [0, 15]]);
    await over;
    expect([state.text.length, state.isOver, clock.pending]).toEqual([100, true, 0]);
  });
});

test('an error of ours, when a slow transfer is requested anew, is passed on', async () => {
  const bug = new TypeError('a bug');
  const slow = bodyOf(100);
  const first = answering('acme/app', slow.answer, () => Promise.reject(bug));
  const { clock, state, over } = await reading(first.target, first.target);
  for (let step = 0; step < 15; step += 1) {
    clock.advance(4_000);
    slow.body.push([Buffer.from('x')]);
    await turns();
  }
  await over;
  expect(state.error).toBe(bug);
});

test('in a program that has run for long, a break is waited out for as long as in a new one', async () => {
  const BREAK = { upTo: 0, breaks: breakOff() };
  const first = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, BREAK, BREAK, {}]);
  const { clock, state, over } = await reading(first.target, first.target);
  for (let step = 0; step < 10 && !state.isOver; step += 1) {
    clock.advanceToNext();
    await turns();
  }
  await over;
  expect([state.isOver, first.asked.length]).toEqual([true, 4]);
});

test('a transfer that is taken up again at its first place is whole from there, and put together', async () => {
  const first = scriptedBlob(CONTENT, [{ upTo: 1_000, breaks: breakOff() }, { ignoresRange: true }]);
  const options = { clock: new ManualClock(), events: createEvents() };
  const source = await BlobSource.open(first.target, DIGEST, { start: 0 }, options);
  for await (const pieces of source.pieces()) {
    expect(pieces.every(({ length }) => length > 0) && pieces.length > 0).toBe(true);
  }
  expect([source.isWholeFromFirst, source.isPutTogether]).toEqual([true, true]);
});
