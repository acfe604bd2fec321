import { waitForEnd } from '../store/read-whole.ts';
import type { Repository } from '../repository/repository.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import { quarantineOf } from '../store/capabilities.ts';
import { StoreError, VerificationError } from '../store/error.ts';
import type { MaintainedContent } from './maintained-content.ts';
import type { Broken } from './findings.ts';

/** Maximum number of a digest's repositories that are asked for it. */
const MAX_REPOSITORIES = 5;

/** Bytes that were set aside and are to be fetched again. */
export type Unrepaired = Pick<Broken, 'digest' | 'isManifest'>;

/** Returns the repository to pull from; undefined if the config does not have it (any more). */
export type FindRepository = (key: RepositoryKey) => Repository | undefined;

/**
 * Returns what earlier runs have set aside, belongs to a repository and has not been pulled again since.
 * @throws IndexError, StoreError
 */
export async function findEarlierBroken(
  { store, index }: MaintainedContent,
  found: readonly Unrepaired[],
): Promise<readonly Unrepaired[]> {
  const foundDigests = new Set(found.map(({ digest }) => digest));
  const before: Unrepaired[] = [];
  for (const digest of (await quarantineOf(store).stats()).digests) {
    if (foundDigests.has(digest) || (await store.stat(digest)) !== undefined) continue;
    const repositories = await index.repositoriesOf(digest, 1);
    if (repositories.length === 0) continue;
    before.push({ digest, isManifest: (await index.manifest(digest)) !== undefined });
  }
  return before;
}

/**
 * Fetches bytes again that were set aside, from a repository that they belong to.
 * @returns undefined if they are stored again, else why they are not
 * @throws IndexError, StoreError
 */
export async function repairBlob(
  content: MaintainedContent,
  findRepository: FindRepository,
  broken: Unrepaired,
): Promise<string | undefined> {
  const keys = await content.index.repositoriesOf(broken.digest, MAX_REPOSITORIES);
  let reason = 'it is not known to belong to any repository';
  for (const key of keys) {
    const repository = findRepository(key);
    const failure =
      repository === undefined
        ? `${key.registry}/${key.repository} is not configured`
        : await pull(content, repository, broken);
    if (failure === undefined) return undefined;
    reason = failure;
  }
  return reason;
}

async function pull(
  content: MaintainedContent,
  repository: Repository,
  broken: Unrepaired,
): Promise<string | undefined> {
  try {
    await (broken.isManifest ? pullManifest : pullBlob)(repository, broken.digest);
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

async function pullManifest(repository: Repository, digest: Digest): Promise<void> {
  const reference = { kind: 'digest', digest } as const;
  await repository.manifest(await repository.resolve(reference, { isAnew: false }));
}

async function pullBlob(repository: Repository, digest: Digest): Promise<void> {
  const { reader, storing } = await repository.blob(digest, { range: undefined, client: '' });
  try {
    await waitForEnd(reader);
  } finally {
    await reader.close();
  }
  await storing;
}
