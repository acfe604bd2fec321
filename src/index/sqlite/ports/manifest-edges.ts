import pLimit from 'p-limit';
import type { Digest } from '../../../oci/digest.ts';
import type { Edge } from '../../../oci/manifest.ts';
import type { ManifestEntry } from '../../manifest-index.ts';
import type { Connection } from '../connection.ts';
import { digestToBytes, pageStart } from '../../sql/digest-bytes.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Edges of a huge manifest that are written in one transaction: each edge, with its claim, takes some five rows. */
const EDGES_AT_ONCE = 50;

/** The functions that record the rest of a manifest. Each call is one transaction, or a part of one. */
export interface PutManifest<T> {
  /** Records the repository's claims for some of the edges. */
  readonly claim: (edges: readonly Edge[]) => void;
  /** Lets claims wait: those of the edges from one position up to another, once all edges are written and claimed. */
  readonly settle: (start: number, end: number) => void;
  /** Puts the manifest's row, in the last transaction, with all else that must become visible with it. */
  readonly last: () => T;
}

/** An edge with its position in the manifest. */
type Placed = readonly [position: number, edge: Edge];

/**
 * Writes and removes manifests' edges. A real manifest's edges are written in the transaction of its row. A huge
 * manifest's edges (4,000 rows in two B-trees) are written piece by piece before its row, and removed after it: without
 * the row, no reader sees them. Edges that a crash leaves unfinished are removed at the next start.
 */
export class ManifestEdges {
  readonly #connection: Connection;
  readonly #turns: WriteTurns;
  /** Takes huge manifests one after the other, so that none is removed while it is written. */
  readonly #inTurn = pLimit(1);

  constructor(connection: Connection, turns: WriteTurns) {
    this.#connection = connection;
    this.#turns = turns;
  }

  async put<T>(entry: ManifestEntry, edges: readonly Edge[], put: PutManifest<T>): Promise<T> {
    const manifest = digestToBytes(entry.descriptor.digest);
    if (edges.length > PIECE || this.#isHuge(manifest)) {
      return this.#inTurn(() => this.#putHuge(manifest, entry, edges, put));
    }
    return this.#connection.transaction(() => {
      if (this.#replacesEdges(manifest, entry)) {
        this.#putEdges(manifest, [...edges.entries()]);
        this.#connection.run('deleteEdges', manifest, edges.length);
      }
      put.claim(edges);
      put.settle(0, edges.length);
      return put.last();
    });
  }

  /**
   * Removes a manifest's edges after its row.
   * @param first removes the row, with all else that must vanish with it; returns false if row and edges must stay
   * @returns what `first` returned
   */
  async remove(digest: Digest, first: () => boolean): Promise<boolean> {
    const manifest = digestToBytes(digest);
    if (this.#isHuge(manifest)) return this.#inTurn(() => this.#removeHuge(manifest, first));
    return this.#connection.transaction(() => {
      const isRemoved = first();
      if (isRemoved) this.#connection.run('deleteEdges', manifest, 0);
      return isRemoved;
    });
  }

  /** Finishes what a crash left unfinished. Must be called once, when the index is opened. */
  async finish(): Promise<void> {
    for (;;) {
      const row = this.#connection.get('unfinished', pageStart());
      if (row === undefined) return;
      const isKnown = this.#connection.get('isManifest', row.manifest) !== undefined;
      // A manifest that has a row was being written again. Its edges stay: each is right under one of its types.
      if (!isKnown) await this.#removeFrom(row.manifest, 0);
      this.#connection.run('deleteUnfinished', row.manifest);
    }
  }

  /** Whether the manifest has more edges than one piece, or is being written or removed in pieces now. */
  #isHuge(manifest: Uint8Array): boolean {
    const last = this.#connection.get('lastEdge', manifest)?.position ?? 0;
    return last >= PIECE || this.#connection.get('isUnfinished', manifest) !== undefined;
  }

  /** Whether the entry's edges replace the known ones. Known edges with a subject stay if the entry has no subject. */
  #replacesEdges(manifest: Uint8Array, { subject }: ManifestEntry): boolean {
    return subject !== undefined || (this.#connection.get('manifest', manifest)?.subject ?? null) === null;
  }

  async #putHuge<T>(
    manifest: Uint8Array,
    entry: ManifestEntry,
    edges: readonly Edge[],
    { claim, settle, last }: PutManifest<T>,
  ): Promise<T> {
    const connection = this.#connection;
    const isKnown = connection.get('isManifest', manifest) !== undefined;
    const replacesEdges = this.#replacesEdges(manifest, entry);
    await this.#change(() => connection.run('putUnfinished', manifest));
    try {
      for (const part of piecesOf(byDigest(edges))) {
        await this.#change(() => {
          if (replacesEdges) this.#putEdges(manifest, part);
          claim(part.map(([, edge]) => edge));
        });
      }
      if (replacesEdges) await this.#removeFrom(manifest, edges.length);
      for (let start = 0; start < edges.length; start += PIECE) {
        await this.#change(() => settle(start, start + PIECE));
      }
      return await this.#change(() => {
        connection.run('deleteUnfinished', manifest);
        return last();
      });
    } catch (error) {
      // If that fails as well, the next start does it.
      if (!isKnown) await this.#removeUnfinished(manifest).catch(() => {});
      throw error;
    }
  }

  async #removeHuge(manifest: Uint8Array, first: () => boolean): Promise<boolean> {
    const isRemoved = await this.#change(() => {
      if (!first()) return false;
      this.#connection.run('putUnfinished', manifest);
      return true;
    });
    if (isRemoved) await this.#removeUnfinished(manifest);
    return isRemoved;
  }

  async #removeUnfinished(manifest: Uint8Array): Promise<void> {
    await this.#removeFrom(manifest, 0);
    await this.#change(() => this.#connection.run('deleteUnfinished', manifest));
  }

  async #removeFrom(manifest: Uint8Array, position: number): Promise<void> {
    for (;;) {
      const last = this.#connection.get('lastEdge', manifest)?.position ?? -1;
      if (last < position) return;
      const from = Math.max(position, last + 1 - PIECE);
      await this.#change(() => this.#connection.run('deleteEdges', manifest, from));
    }
  }

  #putEdges(manifest: Uint8Array, edges: readonly Placed[]): void {
    for (const [position, { role, digest, size, mediaType }] of edges) {
      this.#connection.run('putEdge', manifest, position, role, digestToBytes(digest), size, mediaType);
    }
  }

  #change<T>(change: () => T): Promise<T> {
    return this.#turns.take(() => this.#connection.transaction(change));
  }
}

/** Sorts edges as the B-trees do, so that a page is written by one transaction and not by each. */
function byDigest(edges: readonly Edge[]): readonly Placed[] {
  return [...edges.entries()].sort(([, a], [, b]) =>
    a.digest < b.digest ? -1 : Number(a.digest > b.digest),
  );
}

function* piecesOf(edges: readonly Placed[]): Generator<readonly Placed[], void, undefined> {
  for (let start = 0; start < edges.length; start += EDGES_AT_ONCE) {
    yield edges.slice(start, start + EDGES_AT_ONCE);
  }
}
