import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentIndex } from '../index/content-index.ts';
import type { Page } from '../index/page.ts';
import type { PinEntry, PinIndex } from '../index/pin-index.ts';
import type { ContentSurvey, RepositoryStats } from '../index/content-survey.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/tag.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { quarantineOf, type QuarantineStats } from '../store/capabilities.ts';
import { OperatorError } from './error.ts';
import { findKnown, listPins } from './known.ts';
import { isOfRepository } from './pins.ts';
import { formatRepositoryKey, formatSelector, parseKey, type Selector } from './selector.ts';

/** A repository with what is cached of it. */
export interface RepositoryRow extends RepositoryStats {
  /** `upstream/repository` */
  readonly repository: string;
  /** Number of its tags that are pinned. */
  readonly pins: number;
}

/** A tag with what is cached of its image. */
export interface TagRow {
  readonly tag: Tag;
  readonly digest: Digest;
  /** When upstream last confirmed the digest; milliseconds since the epoch. */
  readonly checkedAt: number;
  /** Number of its image's known manifests and blobs; of an image index, those of the platforms that were pulled. */
  readonly parts: number;
  /** Number of those parts that are stored. */
  readonly blobs: number;
  readonly bytes: number;
  /** Last use of the manifest, in milliseconds since the epoch; undefined if it is not stored. */
  readonly usedAt: number | undefined;
  readonly isPinned: boolean;
}

interface UpstreamRow {
  readonly upstream: string;
  readonly repositories: number;
  readonly tags: number;
  /** A blob that several repositories share counts for each of them. */
  readonly blobs: number;
  readonly bytes: number;
}

/** What a cache holds, in all and of each upstream. */
export interface ContentStats {
  readonly blobs: number;
  readonly bytes: number;
  /** The cache's cap in bytes; undefined if there is none. */
  readonly maxBytes: number | undefined;
  readonly quarantine: QuarantineStats;
  readonly pins: number;
  readonly upstreams: readonly UpstreamRow[];
}

const PAGE = 100;

/** Returns a page of the cached repositories, in ASCII order. */
export async function listRepositories(
  index: ContentSurvey & PinIndex,
  page: Page<string>,
): Promise<readonly RepositoryRow[]> {
  const pins = await listPins(index);
  return describeRepositories(index, page, pins);
}

/**
 * Returns a page of the tags of a repository, in ASCII order.
 * @throws OperatorError `unknown`; `invalid` if the selector is not a repository's
 */
export async function listTags(
  index: ContentIndex,
  selectors: readonly Selector[],
  page: Page<string>,
): Promise<readonly TagRow[]> {
  const { key } = asRepository(await findKnown(index, selectors));
  const pins = new Set((await listPins(index)).map(({ name }) => name));
  const isPinned = (tag: Tag, digest: Digest): boolean =>
    pins.has(`${formatRepositoryKey(key)}:${tag}`) || pins.has(digest);
  const rows: TagRow[] = [];
  for (const tag of await index.tags(key, page)) {
    const entry = await index.tag(key, tag);
    if (entry === undefined) continue;
    const usedAt = (await index.blob(entry.digest))?.usedAt;
    const stored = await index.closureStats(entry.digest);
    rows.push({ tag, ...entry, ...stored, usedAt, isPinned: isPinned(tag, entry.digest) });
    await nextTurn();
  }
  return rows;
}

function asRepository(selector: Selector): Selector & { kind: 'repository' } {
  if (selector.kind === 'repository') return selector;
  throw new OperatorError('invalid', `${formatSelector(selector)} is not a repository`);
}

/** Counts what the cache holds, in all and of each upstream. Throws IndexError, StoreError. */
export async function countContent(
  index: ContentSurvey & BlobIndex & PinIndex,
  store: BlobStore,
  maxBytes: number | undefined,
): Promise<ContentStats> {
  const pins = await listPins(index);
  const upstreams = new Map<string, UpstreamRow>();
  let after: string | undefined;
  for (;;) {
    const rows = await describeRepositories(index, { after, limit: PAGE }, pins);
    for (const row of rows) addRow(upstreams, row);
    after = rows.at(-1)?.repository;
    if (after === undefined) break;
  }
  const stored = await index.stats();
  const quarantine = await quarantineOf(store).stats();
  return { ...stored, maxBytes, quarantine, pins: pins.length, upstreams: [...upstreams.values()] };
}

function addRow(upstreams: Map<string, UpstreamRow>, row: RepositoryRow): void {
  const { registry: upstream } = parseKey(row.repository);
  const sum = upstreams.get(upstream);
  upstreams.set(upstream, {
    upstream,
    repositories: (sum?.repositories ?? 0) + 1,
    tags: (sum?.tags ?? 0) + row.tags,
    blobs: (sum?.blobs ?? 0) + row.blobs,
    bytes: (sum?.bytes ?? 0) + row.bytes,
  });
}

async function describeRepositories(
  index: ContentSurvey,
  page: Page<string>,
  pins: readonly PinEntry[],
): Promise<readonly RepositoryRow[]> {
  const rows: RepositoryRow[] = [];
  for (const repository of await index.repositories(page)) {
    const key = parseKey(repository);
    const pinned = pins.filter((entry) => isOfRepository(entry, key));
    rows.push({ repository, ...(await index.repositoryStats(key)), pins: pinned.length });
    await nextTurn();
  }
  return rows;
}
