import { isTag, type Tag } from './tag.ts';

/**
 * Tags as one ASCII text: sorted, each once, each with a line feed behind it. As strings, a million tags take four
 * times the memory, and it costs time to move them between threads and to collect them.
 */
export interface TagNames {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** A client's query of a list: at most `limit` entries that come after `after`, which need not exist. */
export interface ListQuery {
  readonly limit: number;
  readonly after: string | undefined;
}

const LINE_FEED = 0x0a;

/** Packs the names that are tags. Others cannot be asked for, and might break a client. */
export function packTags(names: readonly unknown[]): TagNames {
  return packSorted(sorted(names.filter((name) => typeof name === 'string' && isTag(name))));
}

/** Merges several lists into one. */
export function mergeTags(lists: readonly TagNames[]): TagNames {
  const [first, ...others] = lists.filter(({ count }) => count > 0);
  if (first === undefined) return packSorted([]);
  if (others.length === 0) return first;
  return packSorted(sorted([first, ...others].flatMap(unpackTags)));
}

/** Sorts tags, each once. Most registries send them sorted, and to check that costs a tenth of sorting. */
function sorted(tags: readonly string[]): readonly string[] {
  if (tags.every((tag, i) => i === 0 || (tags[i - 1] ?? '') < tag)) return tags;
  return tags.toSorted().filter((tag, i, all) => tag !== all[i - 1]);
}

export function unpackTags({ bytes, count }: TagNames): Tag[] {
  return count === 0 ? [] : linesOf(bytes, 0, bytes.length - 1);
}

/**
 * Returns a page of tags in ASCII order, without `after` itself (distribution-spec, "Listing Tags"). With `limit` 0 the
 * page is empty, and the last.
 */
export function pageOfTags(
  { bytes }: TagNames,
  { limit, after }: ListQuery,
): { readonly entries: readonly Tag[]; readonly hasMore: boolean } {
  const start = after === undefined ? 0 : lineAbove(bytes, after);
  let end = start;
  for (let i = 0; i < limit && end < bytes.length; i += 1) end = bytes.indexOf(LINE_FEED, end) + 1;
  if (end === start) return { entries: [], hasMore: false };
  return { entries: linesOf(bytes, start, end - 1), hasMore: end < bytes.length };
}

function packSorted(tags: readonly string[]): TagNames {
  const text = tags.length === 0 ? '' : `${tags.join('\n')}\n`;
  const bytes = new TextEncoder().encode(text);
  return { bytes, count: tags.length };
}

function linesOf(bytes: Uint8Array, start: number, end: number): Tag[] {
  return new TextDecoder().decode(bytes.subarray(start, end)).split('\n') as Tag[];
}

/** Returns the position of the first line that comes after the text. */
function lineAbove(bytes: Uint8Array, text: string): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = middle === 0 ? 0 : bytes.lastIndexOf(LINE_FEED, middle - 1) + 1;
    const end = bytes.indexOf(LINE_FEED, middle);
    const [line = ''] = linesOf(bytes, start, end);
    if (line > text) high = start;
    else low = end + 1;
  }
  return low;
}
