import { isTag, type Tag } from './tag.ts';

/**
 * Tags as one text of ASCII: sorted, each once, each with a line feed behind it. A million of them as strings take four
 * times the memory, and are neither moved between threads nor thrown away for nothing.
 */
export interface TagNames {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** What a client asks of a list: at most `limit` entries that come after `after`, which need not exist. */
export interface ListQuery {
  readonly limit: number;
  readonly after: string | undefined;
}

const LINE_FEED = 0x0a;

/** Those of the names that are tags: what is none cannot be asked for, and might break a client. */
export function packTags(names: readonly unknown[]): TagNames {
  return packSorted(sorted(names.filter((name) => typeof name === 'string' && isTag(name))));
}

/** One list out of several. */
export function mergeTags(lists: readonly TagNames[]): TagNames {
  const [first, ...others] = lists.filter(({ count }) => count > 0);
  if (first === undefined) return packSorted([]);
  if (others.length === 0) return first;
  return packSorted(sorted([first, ...others].flatMap(unpackTags)));
}

/** Each once. Most registries sort, and to find that out costs a tenth of sorting. */
function sorted(tags: readonly string[]): readonly string[] {
  if (tags.every((tag, i) => i === 0 || (tags[i - 1] ?? '') < tag)) return tags;
  return tags.toSorted().filter((tag, i, all) => tag !== all[i - 1]);
}

export function unpackTags({ bytes, count }: TagNames): Tag[] {
  return count === 0 ? [] : linesOf(bytes, 0, bytes.length - 1);
}

/** Exclusive of `after`, ASCII order (distribution-spec, "Listing Tags"); `limit` 0 is an empty page, and the last. */
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

/** Where the first line begins that comes after the text. */
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
