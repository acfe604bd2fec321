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
import type { NegativeCache } from '../negative.ts';
import { joined, type Outcome } from '../../repository/outcome.ts';
import type { Permission } from '../permission/permission.ts';
import type { TagPolicy } from '../tag-policy.ts';
import { isRefusal, isVerdict, isWorthRemembering } from '../refusal.ts';
import type { RememberedTags } from '../../index/remembering-index.ts';
import { SlowUpstreams } from './slow-upstreams.ts';
import { TaggedManifests } from './tagged-manifests.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../content/tolerate.ts';

/** What a tag stands for. */
export interface TagResolution {
  readonly digest: Digest;
  readonly outcome: Outcome;
  /** What upstream's HEAD told when it confirmed the digest, where that is still known. */
  readonly head?: ResolvedManifest | undefined;
  /** The manifest itself, where finding the digest took fetching it. */
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

/** What upstream says that a tag stands for. */
interface Checked {
  readonly digest: Digest;
  readonly head?: ResolvedManifest | undefined;
  readonly manifest?: StoredManifest | undefined;
}

/** Tags whose headers are kept beside the digest that the index has. */
const MAX_HEADS = 10_000;

/** Tags: cached for their time to live, then revalidated by HEAD, one check at a time for each. */
export class TagResolver {
  readonly #checks: Questions<Checked>;
  readonly #tagged: TaggedManifests;
  readonly #slow: SlowUpstreams;
  /** Of tags that were asked for by HEAD only: without them the next HEAD would have to fetch the manifest. */
  readonly #heads = new LRUCache<string, ResolvedManifest>({ max: MAX_HEADS });
  readonly #options: TagResolverOptions;

  constructor(options: TagResolverOptions) {
    this.#options = options;
    this.#checks = new Questions(options.negative, options.clock);
    this.#slow = new SlowUpstreams(options.clock);
    this.#tagged = new TaggedManifests(options.manifests, options.clock);
  }

  /** What `resolve` gives, where the tag is known without I/O and fresh: that takes no waiting. */
  resolveNow(target: Target, tag: Tag): Pick<TagResolution, 'digest' | 'outcome'> | undefined {
    const entry = this.#options.index.rememberedTag(target.key, tag);
    if (entry === undefined) return undefined;
    const now = this.#options.clock.now();
    if (freshness(tag, entry, target.tags, now) !== 'fresh') return undefined;
    return { digest: entry.digest, outcome: freshOutcome(entry, target.tags, now) };
  }

  /**
   * @throws UpstreamError where upstream says no, or cannot be asked and no answer is cached that is young enough
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
   * The manifest of what `resolve` gave.
   * @throws UpstreamError where upstream does not give it, and it is not here
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

  /** See `SlowUpstreams.isSlow`. */
  isSlow(upstream: string): boolean {
    return this.#slow.isSlow(upstream);
  }

  async #resolveCold(target: Target, tag: Tag): Promise<TagResolution> {
    const boarding = this.#check(target, tag, undefined);
    return checkedResolution(await boarding.promise, boarding, 'uri-miss');
  }

  /**
   * A stale entry waits for the check within the deadline, counted from when the check began; then the old
   * answer is due. An expired one waits for as long as upstream takes.
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

  /** HEAD first: Docker Hub counts manifest GETs against the pull limit, and never HEADs. */
  async #ask(target: Target, tag: Tag, entry: TagEntry | undefined): Promise<Checked> {
    const { manifests, permission, clock } = this.#options;
    // What moves after the question is not in the answer, however late that comes.
    const checkedAt = clock.now();
    const head = await target.upstream.resolve(target.key.repository, { kind: 'tag', tag });
    if (head !== undefined) await permission.noteTagHead(target, head);
    let checked: Checked =
      head === undefined ? await this.#fetchByTag(target, tag) : { digest: head.digest, head };
    const hasMoved = entry !== undefined && checked.digest !== entry.digest;
    // The old manifest is served until the new one is here and verified; without an old one there is no need.
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

  /** @throws UpstreamError that is no refusal: upstream has just said that there is such a tag */
  async #pullMoved(target: Target, tag: Tag, head: ResolvedManifest): Promise<Checked> {
    assertQuota(target);
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
    // A refused credential must not cost the cache its tags; only a plain "there is none" does.
    if (!error.isVerdict || error.failure !== 'absent' || target.tags.onDeleted === 'keep') return;
    await tolerate(events, 'drop a tag', () => index.deleteTag(target.key, tag, clock.now()));
  }
}

/** A tag that is never revalidated is fresh, however old it is. */
function freshOutcome(entry: TagEntry, policy: TagPolicy, now: number): Outcome {
  const ttlMs = remainingMs(entry, policy, now);
  const ageMs = now - entry.checkedAt;
  return ttlMs > 0 ? { hit: true, ttlMs, ageMs } : { hit: true, ageMs };
}

function checkKey({ key }: Target, tag: Tag): string {
  return flightKey('tag', key.registry, key.repository, tag);
}

/** Upstream's failure hides behind a stale answer; its refusal does only where the policy says so, at any age. */
function mayServeOld(error: unknown, target: Target, age: 'stale' | 'expired'): boolean {
  if (isVerdict(error)) return target.tags.onDeleted === 'keep';
  return age === 'stale' && error instanceof UpstreamError;
}

/** @throws UpstreamError where a pull would be one of the last ones, which are kept for what is not cached at all */
function assertQuota({ upstream, key, tags }: Target): void {
  const { remaining } = upstream.rateLimit() ?? {};
  if (remaining === undefined || remaining > tags.quotaReserve) return;
  throw new UpstreamError(
    key.registry,
    'throttled',
    'quota-reserve',
    `the tag has moved, but only ${remaining} pulls are left, which are kept for what is not cached`,
  );
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
