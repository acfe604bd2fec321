import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { UpstreamError } from '../upstream/error.ts';
import { flightKey } from './flights.ts';
import type { Outcome } from './outcome.ts';
import { isVerdict } from './refusal.ts';
import { Remembered, type Recalled } from './remembered.ts';
import { readAllTags } from './tag-walk.ts';
import type { Target } from './target.ts';
import { tolerate } from './tolerate.ts';

/** What a client asks of a list: at most `limit` entries that come after `after`, which need not exist. */
export interface ListQuery {
  readonly limit: number;
  readonly after: string | undefined;
}

export interface ListPage {
  readonly entries: readonly string[];
  /** Whether there is more behind the last entry. */
  readonly hasMore: boolean;
  readonly outcome: Outcome;
}

export interface TagListsOptions {
  readonly index: ContentIndex;
  readonly clock: Clock;
  readonly events: Events;
}

/** Characters of tags kept in memory, over all lists. */
const MEMORY = 32 * 1024 * 1024;

/**
 * Tag lists: upstream's whole list, read through all its pages, sorted and kept for the tags' time to live.
 * Registries differ in order, page size and cursor; having the whole list makes ours one and the same for all.
 * Where upstream cannot answer, the last list known does, else the tags that are cached here.
 */
export class TagLists {
  readonly #lists: Remembered<readonly string[]>;
  readonly #options: TagListsOptions;

  constructor(options: TagListsOptions) {
    this.#options = options;
    this.#lists = new Remembered(options.clock, MEMORY, (tags) =>
      tags.reduce((sum, tag) => sum + tag.length, 0),
    );
  }

  /** Forgets the lists that are in memory. */
  forget(): void {
    this.#lists.clear();
  }

  /** @throws UpstreamError where upstream says no, or cannot answer and nothing of the repository is cached */
  async list(target: Target, query: ListQuery): Promise<ListPage> {
    const { key, tags } = target;
    try {
      const recalled = await this.#lists.get(
        flightKey(key.upstream, key.repository),
        tags.ttlMs,
        () => readAllTags(target, this.#options.clock),
        (error) => error instanceof UpstreamError && !isVerdict(error),
      );
      return { ...pageOf(recalled.value, query), outcome: listOutcome(recalled) };
    } catch (error) {
      if (!(error instanceof UpstreamError) || isVerdict(error)) throw error;
      return this.#fromIndex(target, query, error);
    }
  }

  async #fromIndex(target: Target, query: ListQuery, error: UpstreamError): Promise<ListPage> {
    const { index, events } = this.#options;
    const page = { after: query.after, limit: query.limit + 1 };
    const isKnown = await tolerate(events, 'list tags', () => index.tags(target.key, { limit: 1 }));
    if (isKnown === undefined || isKnown.length === 0) throw error;
    const entries = (await tolerate(events, 'list tags', () => index.tags(target.key, page))) ?? [];
    const warning = `only the tags that are cached, since ${error.message}`;
    return {
      entries: entries.slice(0, query.limit),
      hasMore: query.limit > 0 && entries.length > query.limit,
      outcome: { hit: false, fwd: 'stale', detail: error.reason, warning },
    };
  }
}

/** Exclusive of `after`, ASCII order (distribution-spec, "Listing Tags"); `limit` 0 is an empty page, and the last. */
function pageOf(
  sorted: readonly string[],
  { limit, after }: ListQuery,
): { entries: readonly string[]; hasMore: boolean } {
  const start = after === undefined ? 0 : firstAbove(sorted, after);
  return { entries: sorted.slice(start, start + limit), hasMore: limit > 0 && start + limit < sorted.length };
}

function firstAbove(sorted: readonly string[], after: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The outcome of a list that was recalled from memory or asked for. */
export function listOutcome(recalled: Recalled<object>): Outcome {
  if (recalled.source === 'memory') return { hit: true };
  if (recalled.source === 'upstream') return { hit: false, fwd: 'uri-miss', collapsed: recalled.collapsed };
  const { error } = recalled;
  const why = error instanceof UpstreamError ? error.message : 'upstream failed';
  const detail = error instanceof UpstreamError ? error.reason : 'error';
  return { hit: false, fwd: 'stale', detail, warning: `the last list known, since ${why}` };
}
