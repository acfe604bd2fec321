import { waitForEnd } from '../store/read-whole.ts';
import type { Target } from '../mirror/target.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import { StoreError, VerificationError } from '../store/error.ts';
import type { MaintainedContent } from './maintained-content.ts';
import type { Broken } from './findings.ts';

/** How many of a digest's repositories are asked for it at most. */
const MAX_REPOSITORIES = 5;

/** Bytes that were set aside, and are wanted. */
export type Unrepaired = Pick<Broken, 'digest' | 'isManifest'>;

/** Where a repository is to be pulled from; undefined where the config does not have it (any more). */
export type FindTarget = (key: RepositoryKey) => Target | undefined;

/**
 * What lies in quarantine from before, belongs to a repository and has not been pulled again since.
 * @throws IndexError, StoreError
 */
export async function brokenBefore(
  { store, index }: MaintainedContent,
  found: readonly Unrepaired[],
): Promise<readonly Unrepaired[]> {
  const known = new Set(found.map(({ digest }) => digest));
  const before: Unrepaired[] = [];
  for (const digest of (await store.quarantined()).digests) {
    if (known.has(digest) || (await store.stat(digest)) !== undefined) continue;
    const owners = await index.repositoriesOf(digest, 1);
    if (owners.length === 0) continue;
    before.push({ digest, isManifest: (await index.manifest(digest)) !== undefined });
  }
  return before;
}

/**
 * Fetches bytes that were set aside again, from a repository that they belong to.
 * @returns undefined where they are here again, else why they are not
 * @throws IndexError, StoreError
 */
export async function repairBlob(
  content: MaintainedContent,
  findTarget: FindTarget,
  broken: Unrepaired,
): Promise<string | undefined> {
  const keys = await content.index.repositoriesOf(broken.digest, MAX_REPOSITORIES);
  let reason = 'it is not known to belong to any repository';
  for (const key of keys) {
    const target = findTarget(key);
    const failure =
      target === undefined
        ? `${key.registry}/${key.repository} is not configured`
        : await pull(content, target, broken);
    if (failure === undefined) return undefined;
    reason = failure;
  }
  return reason;
}

async function pull(
  content: MaintainedContent,
  target: Target,
  broken: Unrepaired,
): Promise<string | undefined> {
  try {
    await (broken.isManifest ? pullManifest : pullBlob)(content, target, broken.digest);
  } catch (error) {
    if (isExpected(error)) return error.message;
    throw error;
  }
  const stored = await content.store.stat(broken.digest);
  return stored === undefined ? 'it was fetched, but could not be stored' : undefined;
}

function isExpected(error: unknown): error is Error {
  return error instanceof UpstreamError || error instanceof VerificationError || error instanceof StoreError;
}

async function pullManifest({ mirror }: MaintainedContent, target: Target, digest: Digest): Promise<void> {
  const preference = { accepts: () => true, wantsSingleImage: false };
  await mirror.manifest(target, { kind: 'digest', digest }, preference);
}

async function pullBlob({ mirror }: MaintainedContent, target: Target, digest: Digest): Promise<void> {
  const { reader } = await mirror.blob(target, digest, undefined);
  try {
    // The last byte is there only once the whole is verified and published.
    await waitForEnd(reader);
  } finally {
    await reader.close();
  }
}
