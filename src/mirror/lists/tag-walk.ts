import type { Clock } from '../../clock.ts';
import type { TagNames } from '../../oci/tag-names.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { Parser } from '../../upstream/registry/parsing/parser.ts';
import { readDocument } from '../../upstream/registry/read-document.ts';
import { Cursors, walkPages } from '../../upstream/registry/walk.ts';
import type { Target } from '../target.ts';

export interface TagWalkLimits {
  /** Greatest number of tags on all pages, repeated ones included. */
  readonly tags: number;
  readonly pages: number;
  /** Greatest size of all tags and cursors, repeated ones included. */
  readonly bytes: number;
  /** Deadline for all pages together, milliseconds; absent: the walk's default. */
  readonly ms?: number;
}

const LIMITS: TagWalkLimits = { tags: 1_000_000, pages: 10_000, bytes: 32 * 1024 * 1024 };

/**
 * Reads all tags of a repository through all of upstream's pages; sorted, and each once. A list beyond the limits is
 * refused, not cut: half a list would look like a whole one.
 * @throws UpstreamError `content` if the list is too long or its pages go in a circle, `timeout` if they do not end
 */
export async function readAllTags(
  { upstream, key }: Target,
  { clock, parser }: { readonly clock: Clock; readonly parser: Parser },
  limits: TagWalkLimits = LIMITS,
): Promise<TagNames> {
  const walk = { upstream: key.registry, what: `the tags of ${key.repository}` };
  return walkPages({ ...walk, clock, ms: limits.ms }, async (signal) => {
    const list = new TagList(limits);
    const cursors = new Cursors(walk);
    for (let next: string | undefined; ;) {
      signal.throwIfAborted();
      const page = await upstream.tags(key.repository, { next, signal });
      next = page.next;
      if (!list.take(page.tags, next)) throw tooLong(key);
      if (next === undefined) break;
      cursors.add(next);
    }
    const [only, ...others] = list.pages;
    if (only !== undefined && others.length === 0) return only;
    return readDocument(key.registry, parser, { name: 'mergeTags', args: [list.pages] }, list.bytes);
  });
}

class TagList {
  readonly pages: TagNames[] = [];
  readonly #limits: TagWalkLimits;
  #tags = 0;
  #bytes = 0;

  constructor(limits: TagWalkLimits) {
    this.#limits = limits;
  }

  /** Size of all tags and cursors. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a page. @returns whether the list is within its limits */
  take(tags: TagNames, next = ''): boolean {
    this.pages.push(tags);
    this.#tags += tags.count;
    this.#bytes += tags.bytes.length + next.length;
    const { tags: maxTags, pages, bytes } = this.#limits;
    return this.#tags <= maxTags && this.pages.length <= pages && this.#bytes <= bytes;
  }
}

function tooLong({ registry: upstream, repository }: Target['key']): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', 'content', `the tag list of ${repository} has no end`);
}
