import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { TagEntry, TagIndex } from '../../index/tag-index.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Tag } from '../../oci/tag.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { ResolvedManifest } from '../../upstream/upstream.ts';
import { within } from '../../async/deadline.ts';
import { flightKey, type Boarding } from '../../async/flights.ts';
import { Questions } from '../questions.ts';
import { freshness, remainingMs } from './freshness.ts';
import type { ManifestPuller } from '../manifests/manifest-puller.ts';
import type { PulledManifest } from '../../repository/pulled-manifest.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';
import type { NegativeCache } from '../negative-cache.ts';
import { joined, type Outcome } from '../../repository/outcome.ts';
import type { Permission } from '../permission/permission.ts';
import type { TagPolicy } from '../tag-policy.ts';
import { isRefusal, isVerdict, isWorthRemembering } from '../refusal.ts';
import type { RememberedTags } from '../../index/decorators/remembering-index.ts';
import { SlowUpstreams } from './slow-upstreams.ts';
import { TaggedManifests } from './tagged-manifests.ts';
import { assertQuota } from '../quota.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';

/** The digest that a tag stands for, and how it was found. */
export interface TagResolution {
  readonly digest: Digest;
  readonly outcome: Outcome;
  /** Headers with which upstream's HEAD confirmed the digest, if they are still known. */
  readonly head?: ResolvedManifest | undefined;
  /** The manifest itself, if it had to be fetched to find the digest. */
  readonly manifest?: StoredManifest | undefined;
}

export interface TagResolverOptions {
  readonly index: TagIndex & RememberedTags;
  readonly manifests: ManifestPuller;
  readonly permission: Permission;
  readonly negative: NegativeCache;
  readonly clock: Clock;
  readonly events: Events;
}

/** Upstream's answer to what a tag stands for. */
interface Checked {
  readonly digest: Digest;
  readonly head?: ResolvedManifest | undefined;
  readonly manifest?: StoredManifest | undefined;
}

/** Greatest number of tags whose headers are kept in memory, beside the digests in the index. */
const MAX_HEADS = 10_000;

/** Resolves tags: cached for their time to live, then revalidated by HEAD, one check at a time for each tag. */
export class TagResolver {
  readonly #checks: Questions<Checked>;
  readonly #tagged: TaggedManifests;
  readonly #slow: SlowUpstreams;
  /** Headers of tags: without them, the next HEAD for a tag whose manifest is not cached would have to fetch it. */
  readonly #heads = new LRUCache<string, ResolvedManifest>({ max: MAX_HEADS });
  readonly #options: TagResolverOptions;

  constructor(options: TagResolverOptions) {
    this.#options = options;
    this.#checks = new Questions(options.negative, options.clock);
    this.#slow = new SlowUpstreams(options.clock);
    this.#tagged = new TaggedManifests(options.manifests, options.clock);
  }

  /** Does what `resolve` does without waiting, if the tag is fresh and known without I/O. */
  resolveNow(target: Target, tag: Tag): Pick<TagResolution, 'digest' | 'outcome'> | undefined {
    const entry = this.#options.index.rememberedTag(target.key, tag);
    if (entry === undefined) return undefined;
    const now = this.#options.clock.now();
    if (freshness(tag, entry, target.tags, now) !== 'fresh') return undefined;
    return { digest: entry.digest, outcome: freshOutcome(entry, target.tags, now) };
  }

  /**
   * Resolves a tag.
   * @throws UpstreamError if upstream refuses, or cannot be asked and no answer is cached that is young enough
   */
  async resolve(target: Target, tag: Tag): Promise<TagResolution> {
    const { index, clock, events } = this.#options;
    const entry = await tolerate(events, 'look up a tag', () => index.tag(target.key, tag));
    if (entry === undefined) return this.#resolveCold(target, tag);
    const now = clock.now();
    const age = freshness(tag, entry, target.tags, now);
    if (age === 'fresh') {
      const head = this.#heads.get(checkKey(target, tag));
      return {
        digest: entry.digest,
        outcome: freshOutcome(entry, target.tags, now),
        head: head?.digest === entry.digest ? head : undefined,
      };
    }
    return this.#revalidate(target, tag, entry, age);
  }

  /**
   * Pulls the manifest that `resolve` has found.
   * @throws UpstreamError if it is not cached, and upstream does not give it
   */
  async pull(
    target: Target,
    tag: Tag,
    { digest, manifest, outcome }: Omit<TagResolution, 'head'>,
  ): Promise<PulledManifest> {
    if (manifest !== undefined) return { manifest, outcome };
    const askedAt = this.#options.clock.now();
    const pulled = await this.#tagged.pull(target, tag, digest);
    const moved = pulled.manifest.digest;
    if (moved !== digest) await this.#record(target, tag, { digest: moved, checkedAt: askedAt }, digest);
    return { manifest: pulled.manifest, outcome: joined(outcome, pulled.outcome) };
  }

  /** Whether the upstream is slow: see `SlowUpstreams.isSlow`. */
  isSlow(upstream: string): boolean {
    return this.#slow.isSlow(upstream);
  }

  async #resolveCold(target: Target, tag: Tag): Promise<TagResolution> {
    const boarding = this.#check(target, tag, undefined);
    return checkedResolution(await boarding.promise, boarding, 'uri-miss');
  }

  /**
   * Waits for upstream's check. For a stale entry, it waits until the deadline, counted from when the check began, and
   * then serves the old answer. For an expired entry, it waits for as long as upstream takes.
   */
  async #revalidate(
    target: Target,
    tag: Tag,
    entry: TagEntry,
    age: 'stale' | 'expired',
  ): Promise<TagResolution> {
    const { clock } = this.#options;
    const boarding = this.#check(target, tag, entry);
    const waitedMs = clock.monotonic() - boarding.startedAt;
    const left = this.isSlow(target.key.registry) ? 0 : target.tags.deadlineMs - waitedMs;
    try {
      const checked = age === 'stale' ? await within(clock, left, boarding.promise) : await boarding.promise;
      if (checked !== undefined) return checkedResolution(checked, boarding, 'stale');
    } catch (error) {
      if (!mayServeOld(error, target, age)) throw error;
      return this.#stale(target, tag, entry, error);
    }
    this.#slow.hasTimedOut(target.key.registry);
    const slow = new UpstreamError(
      target.key.registry,
      'unavailable',
      'timeout',
      `did not confirm the tag within ${target.tags.deadlineMs} ms`,
    );
    return this.#stale(target, tag, entry, slow);
  }

  #stale(target: Target, tag: Tag, entry: TagEntry, error: unknown): TagResolution {
    const { clock, events } = this.#options;
    const { registry: upstream, repository } = target.key;
    events.emit({ kind: 'stale-served', upstream, repository, reference: tag, error });
    const why = error instanceof UpstreamError ? error.message : 'the tag could not be confirmed';
    const now = clock.now();
    return {
      digest: entry.digest,
      outcome: {
        hit: false,
        fwd: 'stale',
        ttlMs: remainingMs(entry, target.tags, now),
        ageMs: now - entry.checkedAt,
        detail: error instanceof UpstreamError ? error.reason : 'error',
        warning: `served from the cache without confirmation: ${why}`,
      },
    };
  }

  #check(target: Target, tag: Tag, entry: TagEntry | undefined): Boarding<Checked> {
    const name = checkKey(target, tag);
    const isRemembered = (error: unknown): error is UpstreamError =>
      isWorthRemembering(error, entry !== undefined);
    return this.#checks.ask({
      name,
      maxAgeMs: target.maxAgeMs,
      isRemembered,
      ask: async () => {
        const checked = await this.#ask(target, tag, entry);
        this.#slow.hasAnswered(target.key.registry);
        if (checked.head !== undefined) this.#heads.set(name, checked.head);
        return checked;
      },
      onFailed: async (error) => {
        if (isRemembered(error)) await this.#refused(target, tag, error);
      },
    });
  }

  /** Asks upstream, by HEAD first: Docker Hub counts manifest GETs against the pull limit, and never HEADs. */
  async #ask(target: Target, tag: Tag, entry: TagEntry | undefined): Promise<Checked> {
    const { manifests, permission, clock } = this.#options;
    // A tag that moves after the question is not in the answer, however late the answer comes.
    const checkedAt = clock.now();
    const head = await target.upstream.resolve(target.key.repository, { kind: 'tag', tag });
    if (head !== undefined) await permission.noteTagHead(target, head);
    let checked: Checked =
      head === undefined ? await this.#fetchByTag(target, tag) : { digest: head.digest, head };
    const hasMoved = entry !== undefined && checked.digest !== entry.digest;
    // The old manifest, if it is cached, is served until the new one is cached and verified.
    if (
      hasMoved &&
      head !== undefined &&
      (await manifests.local(target.key.registry, entry.digest)) !== undefined
    ) {
      checked = await this.#pullMoved(target, tag, head);
    }
    await this.#record(target, tag, { digest: checked.digest, checkedAt }, entry?.digest);
    return checked;
  }

  async #fetchByTag(target: Target, tag: Tag): Promise<Checked> {
    const { manifest } = await this.#tagged.fetch(target, tag);
    return { digest: manifest.digest, manifest };
  }

  /** @throws UpstreamError which is no refusal: upstream has just said that there is such a tag */
  async #pullMoved(target: Target, tag: Tag, head: ResolvedManifest): Promise<Checked> {
    assertQuota(target, 'the tag has moved, but');
    try {
      const { manifest } = await this.#tagged.pull(target, tag, head.digest);
      const { digest } = manifest;
      return digest === head.digest ? { digest, head } : { digest, manifest };
    } catch (error) {
      throw isRefusal(error) ? notGiven(error, head.digest) : error;
    }
  }

  async #record(target: Target, tag: Tag, entry: TagEntry, before: Digest | undefined): Promise<void> {
    const { index, events } = this.#options;
    const { registry: upstream, repository } = target.key;
    if (before !== undefined && before !== entry.digest) {
      events.emit({ kind: 'tag-moved', upstream, repository, tag, from: before, to: entry.digest });
    }
    await tolerate(events, 'record a tag', () => index.putTag(target.key, tag, entry));
  }

  async #refused(target: Target, tag: Tag, error: UpstreamError): Promise<void> {
    const { index, clock, events } = this.#options;
    this.#slow.hasAnswered(target.key.registry);
    // A refused credential must not cost the cache its tags; only the registry's "there is none" does.
    if (!error.isVerdict || error.failure !== 'absent' || target.tags.onDeleted === 'keep') return;
    await tolerate(events, 'drop a tag', () => index.deleteTag(target.key, tag, clock.now()));
  }
}

/** Returns the outcome of a fresh tag. A tag that is never revalidated is fresh, however old it is. */
function freshOutcome(entry: TagEntry, policy: TagPolicy, now: number): Outcome {
  const ttlMs = remainingMs(entry, policy, now);
  const ageMs = now - entry.checkedAt;
  return ttlMs > 0 ? { hit: true, ttlMs, ageMs } : { hit: true, ageMs };
}

function checkKey({ key }: Target, tag: Tag): string {
  return flightKey('tag', key.registry, key.repository, tag);
}

/**
 * Whether the old answer may be served: after a failure, if it is only stale; after a refusal, at any age, if the
 * policy says so.
 */
function mayServeOld(error: unknown, target: Target, age: 'stale' | 'expired'): boolean {
  if (isVerdict(error)) return target.tags.onDeleted === 'keep';
  return age === 'stale' && error instanceof UpstreamError;
}

function notGiven({ upstream, reason, said }: UpstreamError, digest: Digest): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', reason, `the tag has moved to ${digest}, and ${said}`);
}

function checkedResolution(
  checked: Checked,
  boarding: Boarding<Checked>,
  fwd: 'uri-miss' | 'stale',
): TagResolution {
  return { ...checked, outcome: { hit: false, fwd, collapsed: boarding.collapsed } };
}
