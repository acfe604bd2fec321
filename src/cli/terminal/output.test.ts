import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { asJson, asLines, writeTexts } from './output.ts';

async function* pages<T>(...list: readonly (readonly T[])[]): AsyncGenerator<readonly T[]> {
  yield* list;
}

async function textOf(texts: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const text of texts) all += text;
  return all;
}

/** A reader that takes `limit` texts, and then fails. */
function reader(limit: number, code: string): { readonly stream: Writable; readonly taken: string[] } {
  const taken: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      if (taken.length === limit) return done(Object.assign(new Error('gone'), { code }));
      taken.push(text);
      done();
    },
  });
  return { stream, taken };
}

describe('texts are written', () => {
  test('until the reader has closed its end, and no more are made', async () => {
    let made = 0;
    const { stream, taken } = reader(2, 'EPIPE');
    async function* endless(): AsyncGenerator<string> {
      for (;;) yield String((made += 1));
    }
    await writeTexts(endless(), stream);
    expect(taken).toEqual(['1', '2']);
    expect(made).toBe(3);
  });

  test('or fail with any other error of the stream', async () => {
    const { stream } = reader(0, 'ENOSPC');
    await expect(writeTexts(asLines(pages(['a'])), stream)).rejects.toThrow('gone');
  });

  test('with no listener left on the stream', async () => {
    const { stream, taken } = reader(9, 'EPIPE');
    await writeTexts(asLines(pages(['a', 'b'], [], ['c'])), stream);
    expect(taken).toEqual(['a\nb\n', 'c\n']);
    expect(stream.listenerCount('error')).toBe(0);
  });
});

test.each([
  [
    [['a'], [], ['b', 'c']],
    ['a', 'b', 'c'],
  ],
  [[[]], []],
])('%j is one object of JSON', async (list, tags) => {
  const text = await textOf(asJson({ repository: 'r', n: 1 }, 'tags', pages(...list)));
  expect(JSON.parse(text)).toEqual({ repository: 'r', n: 1, tags });
  expect(text).toBe(`${JSON.stringify({ repository: 'r', n: 1, tags }, undefined, 2)}\n`);
});

test('if the first page fails, there is no half object', async () => {
  async function* failing(): AsyncGenerator<readonly string[]> {
    yield await Promise.reject(new Error('refused'));
  }
  const { stream, taken } = reader(9, 'EPIPE');
  await expect(writeTexts(asJson({}, 'tags', failing()), stream)).rejects.toThrow('refused');
  expect(taken).toEqual([]);
});
