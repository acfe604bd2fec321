import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatSse, HEARTBEAT, parseSse, type SseMessage } from './sse.ts';

/** A text without line breaks, as the names, ids and JSON of events are. */
const line = fc.string().map((text) => text.replaceAll(/[\r\n]/g, '').trim());
const message = fc.record({
  event: line.filter((text) => text !== ''),
  data: line.map((text) => JSON.stringify(text)),
  id: fc.option(
    line.filter((text) => text !== ''),
    { nil: undefined },
  ),
});

async function parse(chunks: readonly string[]): Promise<readonly SseMessage[]> {
  const messages: SseMessage[] = [];
  const source = (async function* (): AsyncGenerator<string> {
    yield* chunks;
  })();
  for await (const each of parseSse(source)) messages.push(each);
  return messages;
}

it('is read as it was written, however it is cut into chunks', async () => {
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 5 }), cuts, async (messages, positions) => {
      const text = messages.map((each) => HEARTBEAT + formatSse(each)).join('');
      const inside = positions.filter((place) => place < text.length).toSorted((a, b) => a - b);
      const ends = [...inside, text.length];
      const chunks = ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
      expect(await parse(chunks)).toEqual(messages);
    }),
  );
});

it('a message that has no end is refused', async () => {
  await expect(parse(['data: ', 'x'.repeat(1024 * 1024)])).rejects.toThrow('no end');
});

it('a message without its end is none', async () => {
  expect(await parse(['event: job\ndata: {}'])).toEqual([]);
});
