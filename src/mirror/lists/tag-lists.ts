import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { TagIndex } from '../../index/tag-index.ts';
import { pageOfTags, type ListQuery, type TagNames } from '../../oci/tag-names.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { inlineParser, type Parser } from '../../upstream/registry/parsing/parser.ts';
import { flightKey } from '../../async/flights.ts';
import type { ListPage } from '../../repository/list-page.ts';
import type { Outcome } from '../../repository/outcome.ts';
import { isVerdict } from '../refusal.ts';
import { Remembered, type Recalled } from './remembered.ts';
import { readAllTags } from './tag-walk.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';

export interface TagListsOptions {
  readonly index: TagIndex;
  readonly clock: Clock;
  readonly events: Events;
  /** Absent: lists are merged in this thread. */
  readonly parser?: Parser | undefined;
}

/** Bytes of tags in memory, over all lists. */
const MEMORY = 32 * 1024 * 1024;

/** Bytes that a list takes beside its tags. */
const OVERHEAD = 512;

/**
 * Lists tags: reads upstream's whole list through all its pages, sorts it, and keeps it for the tags' time to live.
 * Registries differ in order, page size and cursor; with the whole list, Larder's pages are the same for all.
 * If upstream cannot answer, the list is the last one known, or else the tags that are cached here.
 */
export class TagLists {
  readonly #lists: Remembered<TagNames>;
  readonly #options: TagListsOptions;

  constructor(options: TagListsOptions) {
    this.#options = options;
    this.#lists = new Remembered(options.clock, MEMORY, ({ bytes }) => bytes.buffer.byteLength + OVERHEAD);
  }

  /** Forgets the lists that are in memory. */
  forget(): void {
    this.#lists.clear();
  }

  /** Lists tags. @throws UpstreamError if upstream refuses, or cannot answer and no tag of the repository is cached */
  async list(target: Target, query: ListQuery): Promise<ListPage> {
    const { key, tags } = target;
    const { clock, parser = inlineParser } = this.#options;
    try {
      const recalled = await this.#lists.get(
        flightKey(key.registry, key.repository),
        tags.ttlMs,
        () => readAllTags(target, { clock, parser }),
        (error) => error instanceof UpstreamError && !isVerdict(error),
      );
      return { ...pageOfTags(recalled.value, query), outcome: listOutcome(recalled) };
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

/** Returns the outcome of a list that was recalled from memory or asked for. */
export function listOutcome(recalled: Recalled<object>): Outcome {
  const age = recalled.ageMs === undefined ? {} : { ageMs: recalled.ageMs };
  if (recalled.source === 'memory') return { hit: true, ...age };
  if (recalled.source === 'upstream') return { hit: false, fwd: 'uri-miss', collapsed: recalled.collapsed };
  const { error } = recalled;
  const why = error instanceof UpstreamError ? error.message : 'upstream failed';
  const detail = error instanceof UpstreamError ? error.reason : 'error';
  return { hit: false, fwd: 'stale', detail, ...age, warning: `the last list known, since ${why}` };
}
