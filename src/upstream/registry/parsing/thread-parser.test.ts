import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../test/support/manual-clock.ts';
import { packTags } from '../../../oci/tag-names.ts';
import { inlineParser, ParserError } from './parser.ts';
import { ThreadParser, type ThreadParserOptions } from './thread-parser.ts';

function pageOf(tags: readonly unknown[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ name: 'acme/app', tags }));
}

const LETTERS = pageOf(['b', 'a', '-']);

describe('a parser with a thread', () => {
  let parser: ThreadParser | undefined;
  let clock: ManualClock;

  function open(options: Partial<ThreadParserOptions> = {}): ThreadParser {
    clock = new ManualClock();
    parser = new ThreadParser({ clock, inlineBytes: 0, ...options });
    return parser;
  }

  function parse(body: Uint8Array): Promise<unknown> {
    return (parser ?? open()).run({ name: 'tagsPage', args: [body] }, body.length);
  }

  afterEach(async () => {
    await parser?.close();
    parser = undefined;
    if (clock.pending > 0) throw new Error('a timer is left');
  });

  it('needs no thread for small documents', async () => {
    open({ inlineBytes: LETTERS.length });
    const parsing = parse(LETTERS);
    expect(parser?.waiting).toBe(0);
    expect(await parsing).toEqual({ tags: packTags(['a', 'b']) });
  });

  it.each([
    ['a page', LETTERS],
    ['an empty one', pageOf([])],
    ['an error', new TextEncoder().encode('{"errors":[{"code":"TOOMANYREQUESTS"}]}')],
    ['no JSON', new TextEncoder().encode('<html>')],
    ['an endlessly nested document', new TextEncoder().encode('['.repeat(5_000_000))],
    ['lists in lists', new TextEncoder().encode(`{"tags":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
    ['one tag of 16 MiB', pageOf(['a'.repeat(16 * 1024 * 1024)])],
    ['members that come twice', new TextEncoder().encode('{"tags":["a"],"tags":["b"]}')],
  ])('returns for %s the same as without a thread', async (_, body) => {
    const inline = await inlineParser.run({ name: 'tagsPage', args: [body] }, body.length);
    expect(await parse(body)).toEqual(inline);
  });

  it('moves the memory that it gets, and parses one document after the other', async () => {
    const opened = open();
    const bodies = ['a', 'b', 'c'].map((tag) => pageOf([tag]));
    const results = bodies.map((body) =>
      opened.run({ name: 'tagsPage', args: [body], transfer: [body.buffer] }, body.length),
    );
    expect(opened.waiting).toBe(3);
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c'].map((tag) => ({ tags: packTags([tag]) })));
    expect(bodies.map(({ length }) => length)).toEqual([0, 0, 0]);
  });

  it('loses the document that kills it, and goes on with the others', async () => {
    open({ heapMiB: 24 });
    const huge = pageOf(Array.from({ length: 1_000_000 }, (_, number) => `tag-${number}`));
    const [first, second, third] = [parse(LETTERS), parse(huge), parse(LETTERS)];
    expect(await first).toEqual({ tags: packTags(['a', 'b']) });
    await expect(second).rejects.toBeInstanceOf(ParserError);
    expect(await third).toEqual({ tags: packTags(['a', 'b']) });
  });

  it.each([
    ['first', 0],
    ['behind another', 1],
  ])('goes on after a document that the thread cannot get, %s', async (_, before) => {
    const opened = open();
    const earlier = Array.from({ length: before }, () => parse(LETTERS));
    const gone = pageOf(['a']);
    structuredClone(gone, { transfer: [gone.buffer] });
    const lost = opened.run({ name: 'tagsPage', args: [gone], transfer: [gone.buffer] }, 1);
    const later = parse(LETTERS);
    await expect(lost).rejects.toBeInstanceOf(ParserError);
    expect(await Promise.all([...earlier, later])).toHaveLength(before + 1);
    expect(opened.waiting).toBe(0);
  });

  it('lets a limited number of documents wait', async () => {
    open();
    const parsing = Array.from({ length: 64 }, () => parse(LETTERS));
    await expect(parse(LETTERS)).rejects.toThrow('too many large documents wait');
    await Promise.all(parsing);
    expect(await parse(LETTERS)).toEqual({ tags: packTags(['a', 'b']) });
  });

  it('ends its thread after an idle while, and starts a new one', async () => {
    open();
    await parse(LETTERS);
    expect(clock.pending).toBe(1);
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
    expect(await parse(LETTERS)).toEqual({ tags: packTags(['a', 'b']) });
  });

  it('fails waiting documents when it is closed, and all later ones', async () => {
    open();
    const parsing = [parse(LETTERS), parse(LETTERS)].map((each) => each.catch((error: unknown) => error));
    await parser?.close();
    expect(await Promise.all(parsing)).toEqual([expect.any(ParserError), expect.any(ParserError)]);
    await expect(parse(LETTERS)).rejects.toBeInstanceOf(ParserError);
  });
});
