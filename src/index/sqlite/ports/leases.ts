import type { Digest } from '../../../oci/digest.ts';
import type { LeaseIndex } from '../../lease-index.ts';
import { digestToBytes } from '../../sql/digest-bytes.ts';
import type { Connection } from '../connection.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Creates the port for leases. */
export function createLeases(connection: Connection, turns: WriteTurns): LeaseIndex {
  function put(digests: readonly Digest[], now: number, until: number): void {
    connection.transaction(() => {
      for (const digest of digests.map(digestToBytes)) {
        connection.run('putLease', digest, until);
        connection.run('touchBlob', now, digest, now);
      }
    });
  }

  async function inPieces(
    digests: readonly Digest[],
    work: (piece: readonly Digest[]) => void,
  ): Promise<void> {
    for (let start = 0; start < digests.length; start += PIECE) {
      await turns.take(() => work(digests.slice(start, start + PIECE)));
    }
  }

  return {
    async lease(digests, now, until) {
      await inPieces(digests, (piece) => put(piece, now, until));
      while ((await turns.take(() => connection.run('endLeases', now, PIECE))) > 0);
    },
    async leasedOf(digests, now) {
      const leased = new Set<Digest>();
      await inPieces(digests, (piece) => {
        for (const digest of piece) {
          const row = connection.get('leaseOf', digestToBytes(digest));
          if (row !== undefined && row.until > now) leased.add(digest);
        }
      });
      return leased;
    },
  };
}
