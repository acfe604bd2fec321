import type { Clock } from '../clock.ts';
import { isTag } from '../oci/tag.ts';
import { UpstreamError } from '../upstream/error.ts';
import { Cursors, walkPages } from '../upstream/walk.ts';
import type { Target } from './target.ts';

export interface TagWalkLimits {
  readonly tags: number;
  readonly pages: number;
  /** Of all tags and cursors, as often as they come. */
  readonly bytes: number;
  /** For all pages together, milliseconds; absent: the walk's own. */
  readonly ms?: number;
}

const LIMITS: TagWalkLimits = { tags: 1_000_000, pages: 10_000, bytes: 32 * 1024 * 1024 };

/**
 * All tags of a repository, sorted, each once, through all of upstream's pages. A longer list is refused, not cut:
 * half a list would look like a whole one.
 * @throws UpstreamError `content` where it is too long or its pages go round, `timeout` where they do not end
 */
export async function readAllTags(
  { upstream, key }: Target,
  clock: Clock,
  limits: TagWalkLimits = LIMITS,
): Promise<readonly string[]> {
  const walk = { upstream: key.upstream, what: `the tags of ${key.repository}` };
  return walkPages({ ...walk, clock, ms: limits.ms }, async (signal) => {
    const list = new TagList(limits);
    const cursors = new Cursors(walk);
    let next: string | undefined;
    do {
      signal.throwIfAborted();
      const page = await upstream.tags(key.repository, { next, signal });
      next = page.next;
      if (next !== undefined) cursors.add(next);
      if (!list.take(page.tags, next)) throw tooLong(key);
    } while (next !== undefined);
    return list.sorted();
  });
}

class TagList {
  readonly #tags = new Set<string>();
  readonly #limits: TagWalkLimits;
  #pages = 0;
  #bytes = 0;

  constructor(limits: TagWalkLimits) {
    this.#limits = limits;
  }

  /** @returns whether the list is within its limits */
  take(tags: readonly string[], next = ''): boolean {
    this.#pages += 1;
    this.#bytes += tags.reduce((sum, tag) => sum + tag.length, next.length);
    // A tag that cannot be asked for is no use to anybody, and might break a client.
    for (const tag of tags) if (isTag(tag)) this.#tags.add(tag);
    const { tags: maxTags, pages, bytes } = this.#limits;
    return this.#tags.size <= maxTags && this.#pages <= pages && this.#bytes <= bytes;
  }

  sorted(): readonly string[] {
    return [...this.#tags].sort();
  }
}

function tooLong({ upstream, repository }: Target['key']): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', 'content', `the tag list of ${repository} has no end`);
}
