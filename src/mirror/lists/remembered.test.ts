import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Remembered, type Recalled } from './remembered.ts';

interface Answer {
  readonly text: string;
}

class Source {
  asked = 0;
  answer: () => Promise<Answer> = () => Promise.resolve({ text: `answer ${this.asked}` });
  readonly clock = new ManualClock();
  readonly remembered: Remembered<Answer>;

  constructor(maxSize = 1_000) {
    this.remembered = new Remembered(this.clock, maxSize, ({ text }) => text.length);
  }

  get(key = 'key', isFailure = true): Promise<Recalled<Answer>> {
    const ask = (): Promise<Answer> => {
      this.asked += 1;
      return this.answer();
    };
    return this.remembered.get(key, 1_000, ask, () => isFailure);
  }
}

test('an answer is asked for once in its time to live', async () => {
  const source = new Source();
  expect(await source.get()).toEqual({ value: { text: 'answer 1' }, source: 'upstream', collapsed: false });
  source.clock.advance(999);
  expect(await source.get()).toEqual({
    value: { text: 'answer 1' },
    source: 'memory',
    collapsed: false,
    ageMs: 999,
  });
  source.clock.advance(1);
  expect(await source.get()).toMatchObject({ value: { text: 'answer 2' }, source: 'upstream' });
});

test('an answer lives from the moment of the question, and setting the machine’s clock does not change that', async () => {
  const source = new Source();
  source.answer = () => {
    source.clock.advance(400);
    return Promise.resolve({ text: 'slow' });
  };
  await source.get();
  source.clock.jump(86_400_000);
  source.clock.advance(599);
  expect(await source.get()).toMatchObject({ source: 'memory', ageMs: 999 });
  source.clock.advance(1);
  expect((await source.get()).source).toBe('upstream');
});

test('an answer that took longer than its time to live is asked for anew', async () => {
  const source = new Source();
  source.answer = () => {
    source.clock.advance(1_000);
    return Promise.resolve({ text: 'slow' });
  };
  expect(await source.get()).toMatchObject({ value: { text: 'slow' }, source: 'upstream' });
  expect((await source.get()).source).toBe('upstream');
});

test('an answer is asked for once if many want it at the same time', async () => {
  const source = new Source();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  source.answer = () => promise;
  const all = [source.get(), source.get(), source.get()];
  resolve({ text: 'one' });
  expect((await Promise.all(all)).map(({ collapsed }) => collapsed)).toEqual([false, true, true]);
  expect(source.asked).toBe(1);
});

describe('if the source fails', () => {
  const failure = new Error('no answer');

  async function failing(): Promise<Source> {
    const source = new Source();
    await source.get();
    source.clock.advance(1_000);
    source.answer = () => Promise.reject(failure);
    return source;
  }

  test('the last answer is given as stale, with the error', async () => {
    const source = await failing();
    expect(await source.get()).toEqual({
      value: { text: 'answer 1' },
      source: 'stale',
      collapsed: false,
      error: failure,
      ageMs: 1_000,
    });
  });

  test('every caller that waited gets the stale answer', async () => {
    const source = await failing();
    const both = await Promise.all([source.get(), source.get()]);
    expect(both.map((recalled) => recalled.source)).toEqual(['stale', 'stale']);
  });

  test('the source is asked again the next time', async () => {
    const source = await failing();
    await source.get();
    await source.get();
    expect(source.asked).toBe(3);
  });

  test('an error that is itself an answer is passed on', async () => {
    const source = await failing();
    await expect(source.get('key', false)).rejects.toBe(failure);
  });

  test('no stale answer is given for another key', async () => {
    const source = await failing();
    await expect(source.get('other')).rejects.toBe(failure);
  });
});

test('the answers’ size is bounded: the one that was not asked for longest goes', async () => {
  const source = new Source(20);
  source.answer = () => Promise.resolve({ text: 'nine byte' });
  for (const key of ['a', 'b', 'a', 'c']) await source.get(key);
  expect(await Promise.all(['a', 'c', 'b'].map(async (key) => (await source.get(key)).source))).toEqual([
    'memory',
    'memory',
    'upstream',
  ]);
});

test('an answer too large to keep is given all the same', async () => {
  const source = new Source(5);
  source.answer = () => Promise.resolve({ text: 'too large' });
  expect((await source.get()).value.text).toBe('too large');
  expect((await source.get()).source).toBe('upstream');
});

test('an answer that was forgotten is asked for again', async () => {
  const source = new Source();
  await source.get();
  source.remembered.clear();
  expect((await source.get()).source).toBe('upstream');
});
