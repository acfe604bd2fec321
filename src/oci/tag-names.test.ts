import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeTags, packTags, pageOfTags, unpackTags } from './tag-names.ts';

const TAG = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,9}$/);

test('tags are kept sorted, each once, without names that are no tags', () => {
  const packed = packTags(['b', 'B', 'a', 7, null, '-x', 'a\nb', 'ä', 'a', 'a'.repeat(129), '']);
  expect(unpackTags(packed)).toEqual(['B', 'a', 'b']);
  expect(packed.count).toBe(3);
  expect(Buffer.from(packed.bytes).toString()).toBe('B\na\nb\n');
});

test('an empty list has no tags', () => {
  const none = packTags([]);
  expect([unpackTags(none), unpackTags(mergeTags([])), unpackTags(mergeTags([none, none]))]).toEqual([
    [],
    [],
    [],
  ]);
  expect(pageOfTags(none, { limit: 10, after: 'a' })).toEqual({ entries: [], hasMore: false });
});

test('several lists are merged into one', () => {
  fc.assert(
    fc.property(fc.array(fc.array(TAG)), (lists) => {
      const merged = mergeTags(lists.map(packTags));
      expect(unpackTags(merged)).toEqual([...new Set(lists.flat())].sort());
      expect(merged.count).toBe(new Set(lists.flat()).size);
    }),
  );
});

test('a page has the strings of a sorted list that come after a text', () => {
  const after = fc.option(fc.oneof(TAG, fc.string(), fc.constantFrom('', '~', '\u{1f600}', 'ä')), {
    nil: undefined,
  });
  fc.assert(
    fc.property(fc.array(TAG), after, fc.nat(8), (tags, last, limit) => {
      const sorted = [...new Set(tags)].sort().filter((tag) => last === undefined || tag > last);
      expect(pageOfTags(packTags(tags), { limit, after: last })).toEqual({
        entries: sorted.slice(0, limit),
        hasMore: limit > 0 && sorted.length > limit,
      });
    }),
  );
});
