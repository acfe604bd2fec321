import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ContentIndex, Edge, ManifestEntry } from '../content-index.ts';
import { IndexDamagedError } from '../error.ts';
import { isOrigin, recordBelonging, recordOrigin } from './belongings.ts';
import type { Connection } from './connection.ts';
import { recordBlob } from './blobs.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import { putRepository } from './repositories.ts';
import type { Rows } from './sql.ts';

type Manifests = Pick<ContentIndex, 'manifest' | 'putManifest' | 'edges' | 'referrers' | 'describedSize'>;

export function createManifests(connection: Connection): Manifests {
  return {
    async manifest(digest) {
      const row = connection.get('manifest', digestToBytes(digest));
      return row && toEntry(row);
    },
    async putManifest(key, entry, edges, { stored, vouched } = {}) {
      connection.transaction(() => {
        if (stored !== undefined) recordBlob(connection, entry.descriptor, stored.usedAt);
        recordManifest(connection, entry, edges);
        const { digest, mediaType } = entry.descriptor;
        const id = putRepository(connection, key);
        recordBelonging(connection, id, digest, 'given');
        recordOrigin(connection, key.upstream, digest, mediaType);
        claimAll(connection, { id, upstream: key.upstream }, digest, { edges, vouched });
      });
    },
    async edges(manifest) {
      return connection.all('edges', digestToBytes(manifest)).map(toEdge);
    },
    async referrers({ upstream, repository }, subject) {
      const rows = connection.all('referrers', upstream, digestToBytes(subject), upstream, repository);
      return rows.map((row) => {
        const descriptor = parseDescriptor(row.descriptor);
        return row.media_type === null ? descriptor : { ...descriptor, mediaType: row.media_type };
      });
    },
    async describedSize(digest) {
      const bytes = digestToBytes(digest);
      const row = connection.get('describedSize', bytes, bytes);
      return row?.smallest === row?.largest ? (row?.smallest ?? undefined) : undefined;
    },
  };
}

/** What a manifest says, whomever it belongs to. To be called in a transaction. */
export function recordManifest(
  connection: Connection,
  { descriptor, subject }: ManifestEntry,
  edges: readonly Edge[],
): void {
  const manifest = digestToBytes(descriptor.digest);
  const subjectBytes = subject === undefined ? null : digestToBytes(subject);
  const isNew = connection.run('putManifest', manifest, JSON.stringify(descriptor), subjectBytes) > 0;
  // What is known tells more.
  if (!isNew) return;
  connection.run('deleteEdges', manifest);
  for (const [position, { role, digest, size, mediaType }] of edges.entries()) {
    connection.run('addEdge', manifest, position, role, digestToBytes(digest), size, mediaType);
  }
  const tier = edges.some(({ role }) => role === 'manifest') ? 2 : 1;
  connection.run('setTier', tier, manifest, tier);
}

/**
 * A manifest's word for what it contains: that is a claim, but for what a registry vouches for that has given it.
 * What is here already waits to be confirmed.
 */
function claimAll(
  connection: Connection,
  { id, upstream }: { readonly id: number; readonly upstream: string },
  manifest: Digest,
  { edges, vouched }: { readonly edges: readonly Edge[]; readonly vouched: ReadonlySet<Digest> | undefined },
): void {
  const contained = new Set(edges.filter(({ role }) => role !== 'subject').map(({ digest }) => digest));
  for (const digest of contained) {
    const isVouched = vouched?.has(digest) === true && isOrigin(connection, upstream, digest);
    recordBelonging(connection, id, digest, isVouched ? 'confirmed' : 'claimed');
  }
  connection.run('addWaitingEdges', id, upstream, digestToBytes(manifest));
}

function toEntry(row: Rows['manifest']): ManifestEntry {
  return {
    descriptor: parseDescriptor(row.descriptor),
    subject: row.subject === null ? undefined : digestFromBytes(row.subject),
  };
}

function toEdge(row: Rows['edges']): Edge {
  return {
    role: row.role,
    digest: digestFromBytes(row.digest),
    size: row.size,
    mediaType: row.media_type,
  };
}

function parseDescriptor(text: string): Descriptor {
  try {
    return JSON.parse(text) as Descriptor;
  } catch (error) {
    throw new IndexDamagedError('the index holds a descriptor that is not JSON', 'JSON', { cause: error });
  }
}
