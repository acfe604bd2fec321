import type { Digest } from '../../oci/digest.ts';
import { sourceOfRank, sourceRank, type BelongingSource } from '../belonging-source.ts';
import type { RepositoryKey } from '../content-index.ts';
import type { ContentPermission } from '../content-permission.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import { putRepository } from './repositories.ts';
import { PIECE, type Turns } from './turns.ts';

export function createBelongings(connection: Connection, turns: Turns): ContentPermission {
  const claimPart = (id: number, { upstream }: RepositoryKey, manifest: Uint8Array, start: number): void => {
    connection.run('claimEdges', id, manifest, start, start + PIECE);
    connection.run('addWaitingEdges', id, upstream, manifest, start, start + PIECE);
  };
  return {
    async belongs(key, digest) {
      const source = sourceOf(connection, key, digest);
      return source !== undefined && source !== 'claimed';
    },
    async standing(key, digest) {
      return {
        source: sourceOf(connection, key, digest),
        isFromUpstream: isOrigin(connection, key.upstream, digest),
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
      connection.transaction(() => {
        const id = putRepository(connection, key);
        recordBelonging(connection, id, digest, source);
        if (source !== 'confirmed') recordOrigin(connection, key.upstream, digest);
        if (last >= 0) claimPart(id, key, bytes, 0);
      });
    },
    async putOrigin(upstream, digest) {
      connection.transaction(() => recordOrigin(connection, upstream, digest));
    },
    async deleteBelonging(key, digest) {
      connection.transaction(() => {
        connection.run('deleteBelonging', key.upstream, key.repository, digestToBytes(digest));
        stopWaiting(connection, key, digest);
      });
    },
    async dropClaim(key, digest) {
      connection.transaction(() => {
        connection.run('dropClaim', key.upstream, key.repository, digestToBytes(digest));
        stopWaiting(connection, key, digest);
      });
    },
    async manifestType(upstream, digest) {
      return connection.get('origin', digestToBytes(digest), upstream)?.media_type ?? undefined;
    },
    ...createWaiting(connection),
  };
}

function createWaiting(
  connection: Connection,
): Pick<ContentPermission, 'waitingClaim' | 'waitingClaims' | 'passOver'> {
  return {
    async waitingClaim(upstream, before = Number.MAX_SAFE_INTEGER) {
      const row = connection.get('waitingClaim', upstream, before);
      if (row === undefined) return undefined;
      return {
        key: { upstream, repository: row.repository },
        digest: digestFromBytes(row.digest),
        isManifest: row.is_manifest === 1,
        size: row.size ?? undefined,
        position: row.id,
      };
    },
    async waitingClaims(upstream, limit) {
      return connection.get('waitingClaims', upstream, limit)?.claims ?? 0;
    },
    async passOver(key, digest) {
      stopWaiting(connection, key, digest);
    },
  };
}

/** A source never becomes a weaker one. To be called in a transaction. */
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

/** The upstream has given the bytes, a manifest's under the type. To be called in a transaction. */
export function recordOrigin(
  connection: Connection,
  upstream: string,
  digest: Digest,
  mediaType: string | null = null,
): void {
  const bytes = digestToBytes(digest);
  const isNew = !isOrigin(connection, upstream, digest);
  connection.run('putOrigin', bytes, upstream, mediaType);
  if (isNew) connection.run('addWaitingRepositories', bytes, upstream);
}

export function isOrigin(connection: Connection, upstream: string, digest: Digest): boolean {
  return connection.get('origin', digestToBytes(digest), upstream) !== undefined;
}

function sourceOf(
  connection: Connection,
  { upstream, repository }: RepositoryKey,
  digest: Digest,
): BelongingSource | undefined {
  const row = connection.get('belonging', upstream, repository, digestToBytes(digest));
  return row && sourceOfRank(row.source);
}

function stopWaiting(connection: Connection, { upstream, repository }: RepositoryKey, digest: Digest): void {
  const row = connection.get('repository', upstream, repository);
  if (row !== undefined) connection.run('deleteWaitingClaim', row.id, digestToBytes(digest));
}
