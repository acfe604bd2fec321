import { MAX_FAVOURED_BYTES } from '../../eviction-rank.ts';
import type { Descriptor } from '../../../oci/descriptor.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Edge } from '../../../oci/manifest.ts';
import type { ManifestEntry, ManifestIndex } from '../../manifest-index.ts';
import { isOrigin, letClaimsWait, recordBelonging, recordOrigin } from './belongings.ts';
import { readClosure } from './closure.ts';
import type { Connection } from '../connection.ts';
import { recordBlob } from './blobs.ts';
import { digestFromBytes, digestToBytes, pageStart } from '../../sql/digest-bytes.ts';
import { toDescribedSize, toEdge, toManifestEntry, toReferrer } from '../../sql/manifest-sql.ts';
import { putRepository } from './repositories.ts';
import type { ManifestEdges } from './manifest-edges.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Referrers read in one turn: each may have as many bytes of annotations as a manifest. */
const REFERRERS_AT_ONCE = 20;

/** Creates the port for manifests, whose writes share the turns of all ports. */
export function createManifests(
  connection: Connection,
  turns: WriteTurns,
  manifestEdges: ManifestEdges,
): ManifestIndex {
  return {
    async manifest(digest) {
      const row = connection.get('manifest', digestToBytes(digest));
      return row && toManifestEntry(row);
    },
    async putManifest(key, entry, edges, { stored, vouched } = {}) {
      const { digest, mediaType } = entry.descriptor;
      const repositoryId = (): number => putRepository(connection, key);
      const isNew = await manifestEdges.put(entry, edges, {
        claim: (part) => claimAll(connection, { id: repositoryId(), upstream: key.registry }, part, vouched),
        // Claims on bytes that are already stored wait to be confirmed.
        settle(...range) {
          connection.run('addWaitingEdges', repositoryId(), key.registry, digestToBytes(digest), ...range);
        },
        last() {
          if (stored !== undefined) recordBlob(connection, entry.descriptor, stored.usedAt);
          recordManifest(connection, entry, edges);
          recordBelonging(connection, repositoryId(), digest, 'given');
          return recordOrigin(connection, key.registry, digest, mediaType);
        },
      });
      if (isNew) await letClaimsWait(connection, turns, key.registry, digest);
    },
    async manifestType(upstream, digest) {
      return connection.get('origin', digestToBytes(digest), upstream)?.media_type ?? undefined;
    },
    edges: (manifest) => readEdges(connection, turns, digestToBytes(manifest)),
    async referrers({ registry, repository }, subject) {
      const of = [registry, digestToBytes(subject), registry, repository];
      const descriptors: Descriptor[] = [];
      for (let after: Uint8Array | undefined = pageStart(); after !== undefined;) {
        const position: Uint8Array = after;
        const rows = await turns.take(() => connection.all('referrers', ...of, position, REFERRERS_AT_ONCE));
        descriptors.push(...rows.map(toReferrer));
        after = rows.at(-1)?.digest;
      }
      return descriptors;
    },
    async parents(digest, limit, key) {
      const child = digestToBytes(digest);
      const rows =
        key === undefined
          ? connection.all('storedParents', child, limit)
          : connection.all('parentsIn', child, key.registry, key.repository, limit);
      return rows.map((row) => digestFromBytes(row.manifest));
    },
    async closure(digest) {
      const digests: Digest[] = [];
      for await (const piece of readClosure(connection, turns, digestToBytes(digest))) {
        digests.push(...piece.map(digestFromBytes));
      }
      return digests;
    },
    async describedSize(digest) {
      const bytes = digestToBytes(digest);
      return toDescribedSize(connection.get('describedSize', bytes, bytes));
    },
  };
}

/** Reads all edges of a manifest, or none if its row is missing or goes before the last piece is read. */
async function readEdges(
  connection: Connection,
  turns: WriteTurns,
  manifest: Uint8Array,
): Promise<readonly Edge[]> {
  const edges: Edge[] = [];
  for (let after = -1; ;) {
    const from = after;
    const rows = await turns.take(
      () => connection.get('isManifest', manifest) && connection.all('edges', manifest, from, PIECE),
    );
    if (rows === undefined) return [];
    edges.push(...rows.map(toEdge));
    after = rows.at(-1)?.position ?? after;
    if (rows.length < PIECE) return edges;
  }
}

/**
 * Records a manifest, whichever repositories it belongs to. Its edges are already written (manifest-edges.ts). Must be
 * called in a transaction.
 */
export function recordManifest(
  connection: Connection,
  { descriptor, subject }: ManifestEntry,
  edges: readonly Edge[],
): void {
  const manifest = digestToBytes(descriptor.digest);
  const subjectBytes = subject === undefined ? null : digestToBytes(subject);
  // The known row stays if it tells more.
  if (connection.run('putManifest', manifest, JSON.stringify(descriptor), subjectBytes) === 0) return;
  const tier = edges.some(({ role }) => role === 'manifest') ? 2 : 1;
  connection.run('setTier', tier, manifest, tier, MAX_FAVOURED_BYTES);
}

/**
 * Records that the repository claims what its manifest contains. A digest that the upstream vouches for and whose bytes
 * it has given is recorded as confirmed, not as claimed.
 */
function claimAll(
  connection: Connection,
  { id, upstream }: { readonly id: number; readonly upstream: string },
  edges: readonly Edge[],
  vouched: ReadonlySet<Digest> | undefined,
): void {
  const contained = new Set(edges.filter(({ role }) => role !== 'subject').map(({ digest }) => digest));
  for (const digest of contained) {
    const isVouched = vouched?.has(digest) === true && isOrigin(connection, upstream, digest);
    recordBelonging(connection, id, digest, isVouched ? 'confirmed' : 'claimed');
  }
}
