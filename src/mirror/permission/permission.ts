import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { BelongingIndex, BelongingStanding } from '../../index/belonging-index.ts';
import type { Digest } from '../../oci/digest.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { ResolvedManifest, TurnOptions } from '../../upstream/upstream.ts';
import { demandOf } from '../fill-clients.ts';
import { Questions, type UpstreamQuestion } from '../questions.ts';
import { refusalKey, type Mark, type NegativeCache } from '../negative-cache.ts';
import { CONFIRMED, HIT, type Outcome } from '../../repository/outcome.ts';
import { isVerdict, isWorthRemembering } from '../refusal.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';
import type { Belonging } from './belonging.ts';
import { confirms, confirmsManifest, type HeldContent } from './confirms.ts';
import { isServedUnconfirmed, isWordEnough } from './decide.ts';
import type { RecoveredPolicy } from './permission-policy.ts';
import { unconfirmed } from './unconfirmed.ts';

export interface PermissionOptions {
  readonly index: BlobIndex & BelongingIndex;
  readonly belonging: Belonging;
  readonly negative: NegativeCache;
  readonly recovered: RecoveredPolicy;
  readonly clock: Clock;
  readonly events: Events;
}

/**
 * Decides whether cached bytes may be served for a repository, and how. Bytes are shared, permission is not: before a
 * digest is served that is neither given nor confirmed for the repository, its registry is asked, once.
 */
export class Permission {
  readonly #questions: Questions<boolean>;
  readonly #options: PermissionOptions;

  constructor(options: PermissionOptions) {
    this.#options = options;
    this.#questions = new Questions(options.negative, options.clock);
  }

  /** Whether it is known at once, without I/O, that the digest may be served. If not, `ask` may still allow it. */
  isServedNow(key: RepositoryKey, digest: Digest): boolean {
    return this.#options.belonging.isRemembered(key, digest);
  }

  /**
   * Returns how the bytes are served; `fetch` if only upstream's own bytes can prove that they may be.
   * @param client an opaque key of the client that asks
   * @throws UpstreamError if upstream refuses, or cannot be asked and the bytes may not be served without its word
   */
  async ask(target: Target, content: HeldContent, client = ''): Promise<Outcome | 'fetch'> {
    const { belonging, recovered } = this.#options;
    if (await belonging.has(target.key, content.digest)) return HIT;
    const standing = await this.#standing(target.key, content.digest);
    if (standing === undefined || !isWordEnough(standing, recovered)) return 'fetch';
    try {
      return (await this.confirm(target, content, { demand: demandOf(client) })) ? CONFIRMED : 'fetch';
    } catch (error) {
      return this.#outcomeDespite(error, target, content, standing);
    }
  }

  /**
   * Asks upstream to confirm bytes that it has itself given, and records the confirmation.
   * @param options with a signal, the question is shared with no other caller, since it may be given up
   * @returns false if upstream's answer confirms nothing
   * @throws UpstreamError if upstream refuses or cannot be asked
   */
  async confirm(target: Target, content: HeldContent, options: TurnOptions = {}): Promise<boolean> {
    const isConfirmed = await this.confirmUnrecorded(target, content, options);
    if (isConfirmed) await this.#options.belonging.add(target.key, content.digest, 'confirmed');
    return isConfirmed;
  }

  /** Does the same for bytes that are not verified yet, and records nothing: they may turn out wrong. */
  async confirmUnrecorded(target: Target, content: HeldContent, options: TurnOptions = {}): Promise<boolean> {
    const { key } = target;
    const { kind, digest, size } = content;
    const name = refusalKey(kind === 'blob' ? 'blob' : 'confirm', key, digest);
    const question: UpstreamQuestion<boolean> = {
      name,
      key: `${name} ${size}`,
      about: { key, digest },
      ask: () => CONFIRMATIONS[kind](target, content, options),
      // The bytes are cached: a refusal that is not proven to be the registry's own must not outlast this question.
      isRemembered: (error): error is UpstreamError => isWorthRemembering(error, true),
      onFailed: (error, mark) => this.refused(key, digest, error, mark),
    };
    return options.signal === undefined
      ? this.#questions.ask(question).promise
      : this.#questions.askAlone(question);
  }

  /**
   * Handles a failed question about the digest. If the registry itself has refused what a manifest claims, the claim is
   * dropped, so that the content is not served later either, while the registry is away.
   * @param mark of the question: a refusal that has been disproved since then drops nothing
   */
  async refused(key: RepositoryKey, digest: Digest, error: unknown, mark: Mark | undefined): Promise<void> {
    const { index, events, negative } = this.#options;
    if (!isVerdict(error) || negative.isDisprovedSince(mark)) return;
    await tolerate(events, 'drop a claim', () => index.dropClaim(key, digest));
  }

  /** Takes upstream's answer to a tag's HEAD: if the manifest is cached, the answer may confirm it. */
  async noteTagHead(target: Target, head: ResolvedManifest): Promise<void> {
    const { index, belonging, negative, events } = this.#options;
    const { digest } = head;
    negative.disprove(target.key, digest);
    if (belonging.isRemembered(target.key, digest)) return;
    const standing = await this.#standing(target.key, digest);
    if (standing === undefined || !isWordEnough(standing, this.#options.recovered)) return;
    const size = (await tolerate(events, 'look up a blob', () => index.blob(digest)))?.size;
    if (size === undefined || !confirmsManifest(head, { kind: 'manifest', digest, size })) return;
    await belonging.add(target.key, digest, 'confirmed');
  }

  #outcomeDespite(
    error: unknown,
    target: Target,
    { digest }: HeldContent,
    standing: BelongingStanding,
  ): Outcome {
    if (!(error instanceof UpstreamError) || hasRefused(error)) throw error;
    if (isServedUnconfirmed(standing, target.permission, this.#options.recovered)) {
      const warning = `served from the cache without confirmation: ${error.message}`;
      return { hit: false, fwd: 'stale', detail: error.reason, warning };
    }
    throw standing.source === 'claimed' ? unconfirmed(error, target.key, digest) : error;
  }

  #standing(key: RepositoryKey, digest: Digest): Promise<BelongingStanding | undefined> {
    const { index, events } = this.#options;
    return tolerate(events, 'look up a belonging', () => index.standing(key, digest));
  }
}

/** Whether upstream could be asked and has refused, by the registry's word or by that of its token endpoint. */
function hasRefused(error: UpstreamError): boolean {
  return error.failure === 'denied' || isVerdict(error);
}

type Confirmation = (target: Target, content: HeldContent, options: TurnOptions) => Promise<boolean>;

const CONFIRMATIONS: Readonly<Record<HeldContent['kind'], Confirmation>> = {
  async blob({ upstream, key }, content, options) {
    const asked = { ...options, expectedSize: content.size };
    const answer = await upstream.statBlob(key.repository, content.digest, asked);
    return confirms(answer, content);
  },
  /** Manifests are small: if HEAD does not confirm one, the whole is fetched at once, and verified. */
  async manifest({ upstream, key }, content, options) {
    const reference = { kind: 'digest', digest: content.digest } as const;
    if (confirmsManifest(await upstream.resolve(key.repository, reference, options), content)) return true;
    const fetched = await upstream.manifest(key.repository, reference, options);
    return fetched.verified && fetched.digest === content.digest;
  },
};
