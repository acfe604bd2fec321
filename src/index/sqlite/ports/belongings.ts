import type { Digest } from '../../../oci/digest.ts';
import { sourceOfRank, sourceRank, type BelongingSource } from '../../belonging-source.ts';
import type { RepositoryKey } from '../../repository-key.ts';
import type { BelongingIndex } from '../../belonging-index.ts';
import type { Connection } from '../connection.ts';
import { toWaitingClaim } from '../../sql/belonging-sql.ts';
import { digestFromBytes, digestToBytes, pageStart } from '../../sql/digest-bytes.ts';
import { putRepository } from './repositories.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Creates the port for belongings, origins and waiting claims. */
export function createBelongings(connection: Connection, turns: WriteTurns): BelongingIndex {
  const claimPart = (id: number, { registry }: RepositoryKey, manifest: Uint8Array, start: number): void => {
    connection.run('claimEdges', id, manifest, start, start + PIECE);
    connection.run('addWaitingEdges', id, registry, manifest, start, start + PIECE);
  };
  return {
    async belongs(key, digest) {
      const source = sourceOf(connection, key, digest);
      return source !== undefined && source !== 'claimed';
    },
    async standing(key, digest) {
      return {
        source: sourceOf(connection, key, digest),
        isFromUpstream: isOrigin(connection, key.registry, digest),
        isRecovered: connection.get('recovered', digestToBytes(digest)) !== undefined,
      };
    },
    async putBelonging(key, digest, source) {
      const bytes = digestToBytes(digest);
      const last = connection.get('lastEdge', bytes)?.position ?? -1;
      const change = (start: number): Promise<void> =>
        turns.take(() =>
          connection.transaction(() => claimPart(putRepository(connection, key), key, bytes, start)),
        );
      for (let start = PIECE; start <= last; start += PIECE) await change(start);
      const isNew = connection.transaction(() => {
        const id = putRepository(connection, key);
        recordBelonging(connection, id, digest, source);
        const isNewOrigin = source !== 'confirmed' && recordOrigin(connection, key.registry, digest);
        if (last >= 0) claimPart(id, key, bytes, 0);
        return isNewOrigin;
      });
      if (isNew) await letClaimsWait(connection, turns, key.registry, digest);
    },
    async putOrigin(upstream, digest) {
      const isNew = connection.transaction(() => recordOrigin(connection, upstream, digest));
      if (isNew) await letClaimsWait(connection, turns, upstream, digest);
    },
    async deleteBelonging(key, digest) {
      connection.transaction(() => {
        connection.run('deleteBelonging', key.registry, key.repository, digestToBytes(digest));
        stopWaiting(connection, key, digest);
      });
    },
    async dropClaim(key, digest) {
      connection.transaction(() => {
        connection.run('dropClaim', key.registry, key.repository, digestToBytes(digest));
        stopWaiting(connection, key, digest);
      });
    },
    async belongings({ registry, repository }, { after, limit }) {
      const rows = connection.all('belongings', registry, repository, pageStart(after), limit);
      return rows.map((row) => digestFromBytes(row.digest));
    },
    async repositoriesOf(digest, limit) {
      return connection.all('repositoriesOf', digestToBytes(digest), limit);
    },
    ...createWaiting(connection),
  };
}

function createWaiting(
  connection: Connection,
): Pick<BelongingIndex, 'waitingClaim' | 'waitingClaims' | 'passOver'> {
  return {
    async waitingClaim(upstream, before = Number.MAX_SAFE_INTEGER) {
      const row = connection.get('waitingClaim', upstream, before);
      return row && toWaitingClaim(upstream, row);
    },
    async waitingClaims(upstream, limit) {
      return connection.get('waitingClaims', upstream, limit)?.claims ?? 0;
    },
    async passOver(key, digest) {
      stopWaiting(connection, key, digest);
    },
  };
}

/** Records the belonging; a source never becomes a weaker one. Must be called in a transaction. */
export function recordBelonging(
  connection: Connection,
  repositoryId: number,
  digest: Digest,
  source: BelongingSource,
): void {
  const bytes = digestToBytes(digest);
  connection.run('putBelonging', repositoryId, bytes, sourceRank(source));
  if (source !== 'claimed') connection.run('deleteWaitingClaim', repositoryId, bytes);
}

/**
 * Records that the upstream has given the bytes, a manifest's under the media type. Must be called in a transaction.
 * @returns whether that was unknown before: then `letClaimsWait` must be called after the transaction
 */
export function recordOrigin(
  connection: Connection,
  upstream: string,
  digest: Digest,
  mediaType: string | null = null,
): boolean {
  const isNew = !isOrigin(connection, upstream, digest);
  connection.run('putOrigin', digestToBytes(digest), upstream, mediaType);
  return isNew;
}

/**
 * Makes the claims on a digest wait to be confirmed, piece by piece: those of all repositories of the upstream that has
 * given the bytes. A claim made in between waits by itself, since the origin is recorded. A claim that a crash leaves
 * out is confirmed when a client asks for its digest.
 */
export async function letClaimsWait(
  connection: Connection,
  turns: WriteTurns,
  upstream: string,
  digest: Digest,
): Promise<void> {
  const bytes = digestToBytes(digest);
  /** @returns where the next piece begins; undefined after the last one */
  const add = (after: number): number | undefined => {
    const piece = connection.all('repositoryIdsOf', bytes, after, PIECE);
    const last = piece.at(-1)?.repository_id ?? after;
    connection.run('addWaitingRepositories', bytes, after, last, upstream);
    return piece.length < PIECE ? undefined : last;
  };
  try {
    for (let after: number | undefined = 0; after !== undefined;) {
      const start: number = after;
      after = await turns.take(() => connection.transaction(() => add(start)));
    }
  } catch {
    // The origin is recorded, and this failure must not undo it: claims that do not wait are confirmed when a client
    // asks for their digest.
  }
}

/** Whether the upstream has given the stored bytes of the digest. */
export function isOrigin(connection: Connection, upstream: string, digest: Digest): boolean {
  return connection.get('origin', digestToBytes(digest), upstream) !== undefined;
}

function sourceOf(
  connection: Connection,
  { registry, repository }: RepositoryKey,
  digest: Digest,
): BelongingSource | undefined {
  const row = connection.get('belonging', registry, repository, digestToBytes(digest));
  return row && sourceOfRank(row.source);
}

function stopWaiting(connection: Connection, { registry, repository }: RepositoryKey, digest: Digest): void {
  const row = connection.get('repository', registry, repository);
  if (row !== undefined) connection.run('deleteWaitingClaim', row.id, digestToBytes(digest));
}
