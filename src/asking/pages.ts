import { UpstreamError } from '../upstream/error.ts';
import { Cursors } from '../upstream/registry/walk.ts';

/** A page of a list, and the cursor of the next one. */
export interface EntryPage<T> {
  readonly entries: readonly T[];
  readonly next: string | undefined;
}

/** Ten million entries at a hundred a page: more than any registry has, so that no list goes on for ever. */
const MAX_PAGES = 100_000;

/**
 * Reads a list page by page: a page is asked for when the one before has been used.
 * @param list names the registry, and the list for messages
 * @throws UpstreamError `content` if the pages lead round in a circle, or are too many
 */
export async function* readPages<T>(
  list: { readonly upstream: string; readonly what: string },
  read: (next: string | undefined) => Promise<EntryPage<T>>,
): AsyncGenerator<readonly T[], void, undefined> {
  const cursors = new Cursors(list);
  let next: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await read(next);
    yield page.entries;
    ({ next } = page);
    if (next === undefined) return;
    cursors.add(next);
  }
  const message = `${list.what}: more than ${MAX_PAGES} pages`;
  throw new UpstreamError(list.upstream, 'unavailable', 'content', message);
}

/** Leaves out the entries that `isWanted` does not choose. */
export async function* filterPages<T>(
  pages: AsyncIterable<readonly T[]>,
  isWanted: (entry: T) => boolean,
): AsyncGenerator<readonly T[], void, undefined> {
  for await (const page of pages) yield page.filter((entry) => isWanted(entry));
}

/** Ends after `limit` entries, without asking for another page. Without a limit, all pass. */
export async function* limitPages<T>(
  pages: AsyncIterable<readonly T[]>,
  limit: number | undefined,
): AsyncGenerator<readonly T[], void, undefined> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const page of pages) {
    yield page.slice(0, left);
    left -= page.length;
    if (left <= 0) return;
  }
}

/** Counts the entries of all pages. */
export async function countEntries(pages: AsyncIterable<readonly unknown[]>): Promise<number> {
  let count = 0;
  for await (const page of pages) count += page.length;
  return count;
}
