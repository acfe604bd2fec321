import { LRUCache } from 'lru-cache';
import type { ContentIndex } from '../content-index.ts';
import type { RepositoryKey } from '../repository-key.ts';
import type { BelongingIndex } from '../belonging-index.ts';
import type { ManifestIndex } from '../manifest-index.ts';
import type { TagEntry, TagIndex } from '../tag-index.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Tag } from '../../oci/tag.ts';
import { flightKey } from '../../async/flights.ts';

/** Entries kept at most; each takes some 300 bytes with its key. */
const MAX_TAGS = 20_000;
const MAX_BELONGINGS = 50_000;

/** Tags that are known at once, without I/O. */
export interface RememberedTags {
  /** What `tag` would return; undefined if only the index can tell. */
  rememberedTag(key: RepositoryKey, tag: Tag): TagEntry | undefined;
}

/** Belongings that are known at once, without I/O. */
export interface RememberedBelongings {
  /** Whether memory knows that the digest belongs to the repository in a way that is served. */
  remembersBelonging(key: RepositoryKey, digest: Digest): boolean;
}

/** An index that answers recent questions at once, without I/O. */
export interface RememberingIndex extends ContentIndex, RememberedTags, RememberedBelongings {
  /** Must be called when another index has replaced the wrapped one. */
  forgetAll(): void;
}

/**
 * Keeps in memory what an index says of tags and belongings. The memory is right as long as every change goes through
 * this wrapper: it is never older than the last change that was answered.
 */
export function rememberIndex(index: ContentIndex): RememberingIndex {
  const tags = new Memory<TagEntry>(MAX_TAGS);
  const belongings = new Memory<true>(MAX_BELONGINGS);
  const forgetAll = (): void => {
    tags.forgetAll();
    belongings.forgetAll();
  };
  return {
    ...index,
    ...rememberTags(index, tags),
    ...rememberBelongings(index, belongings),
    async forgetGone(walk) {
      const piece = await index.forgetGone(walk);
      if (piece.forgotten > 0) forgetAll();
      return piece;
    },
    forgetAll,
  };
}

type TagMethods = Pick<TagIndex, 'tag' | 'putTag' | 'deleteTag' | 'deleteTags'> & RememberedTags;

function rememberTags(index: TagIndex, memory: Memory<TagEntry>): TagMethods {
  return {
    rememberedTag: (key, tag) => memory.get(entryKey(key, tag)),
    tag: (key, tag) => memory.read(entryKey(key, tag), () => index.tag(key, tag)),
    putTag: (key, tag, entry) =>
      memory.change(() => index.putTag(key, tag, entry), { key: entryKey(key, tag), value: entry }),
    deleteTag: (key, tag, deletedAt, ended) =>
      memory.change(() => index.deleteTag(key, tag, deletedAt, ended), { key: entryKey(key, tag) }),
    deleteTags: (key) => memory.change(() => index.deleteTags(key), 'everything'),
  };
}

type BelongingMethods = Pick<BelongingIndex, 'belongs' | 'putBelonging' | 'deleteBelonging'> &
  Pick<ManifestIndex, 'putManifest'> &
  RememberedBelongings;

function rememberBelongings(index: BelongingIndex & ManifestIndex, memory: Memory<true>): BelongingMethods {
  return {
    remembersBelonging: (key, digest) => memory.get(entryKey(key, digest)) === true,
    async belongs(key, digest) {
      // Only belongings are remembered: a digest that does not belong yet may belong at any time.
      const read = async (): Promise<true | undefined> => (await index.belongs(key, digest)) || undefined;
      return (await memory.read(entryKey(key, digest), read)) === true;
    },
    async putBelonging(key, digest, source) {
      const fact = { key: entryKey(key, digest), value: true } as const;
      // `given` and `imported` are recorded even for a known belonging: they also say which upstream gave the bytes.
      if (source === 'confirmed' && memory.get(fact.key) === true) return;
      await memory.change(() => index.putBelonging(key, digest, source), fact);
    },
    deleteBelonging: (key, digest) =>
      memory.change(() => index.deleteBelonging(key, digest), { key: entryKey(key, digest) }),
    putManifest: (key, entry, edges, options) =>
      memory.change(() => index.putManifest(key, entry, edges, options), {
        key: entryKey(key, entry.descriptor.digest),
        value: true,
      }),
  };
}

/** The outcome of a change for one entry: its new value, or none. */
interface Changed<V> {
  readonly key: string;
  readonly value?: V;
}

/** A bounded copy of what a slow source says. */
class Memory<V extends object | true> {
  readonly #entries: LRUCache<string, V>;
  /** Counts beginnings and ends of changes. A value is not kept if the count moved while it was read: it may be old. */
  #moves = 0;

  constructor(max: number) {
    this.#entries = new LRUCache({ max });
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  async read(key: string, ask: () => Promise<V | undefined>): Promise<V | undefined> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const moves = this.#moves;
    const value = await ask();
    if (value !== undefined && moves === this.#moves) this.#entries.set(key, value);
    return value;
  }

  /**
   * Changes the source first, then the copy. If two changes overlap, or one fails, their outcome is unknown, and the
   * source is asked anew.
   */
  async change<R>(make: () => Promise<R>, changed: Changed<V> | 'everything'): Promise<R> {
    const moves = (this.#moves += 1);
    let isKnown = false;
    try {
      const result = await make();
      isKnown = moves === this.#moves;
      return result;
    } finally {
      this.#moves += 1;
      if (changed === 'everything') this.#entries.clear();
      else if (isKnown && changed.value !== undefined) this.#entries.set(changed.key, changed.value);
      else this.#entries.delete(changed.key);
    }
  }

  forgetAll(): void {
    this.#moves += 1;
    this.#entries.clear();
  }
}

function entryKey({ registry, repository }: RepositoryKey, name: Tag | Digest): string {
  return flightKey(registry, repository, name);
}
