import { digestFromBytes } from '../../sql/digest-bytes.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Connection } from '../connection.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Depth that reaches the layers of an index of indexes of images. */
const MAX_DEPTH = 3;

/** Upstream's manifests may refer to any number of digests; an honest index of twenty platforms leads to a thousand. */
const MAX_DIGESTS = 4000;

/** A place in the edges of one manifest. */
interface Place {
  readonly manifest: Uint8Array;
  readonly depth: number;
  /** The last edge that was read. */
  readonly position: number;
}

/**
 * Yields the root, what it refers to (except its subject), and so on, as far as the manifests are known. Yields each
 * digest once, the nearest first. Reads piece by piece, each piece in its turn.
 */
export async function* readClosure(
  connection: Connection,
  turns: WriteTurns,
  root: Uint8Array,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const seen = new Set([keyOf(root)]);
  const places: Place[] = [{ manifest: root, depth: 0, position: -1 }];
  yield [root];
  for (let place = places.shift(); place !== undefined; place = places.shift()) {
    const { manifest, depth, position } = place;
    const rows = await turns.take(() => connection.all('contained', manifest, position, PIECE));
    const last = rows.at(-1);
    if (last !== undefined && rows.length === PIECE) places.unshift({ ...place, position: last.position });
    const found: Uint8Array[] = [];
    for (const { digest, leads } of rows) {
      if (seen.size === MAX_DIGESTS) break;
      if (seen.has(keyOf(digest))) continue;
      seen.add(keyOf(digest));
      found.push(digest);
      if (leads === 1 && depth + 1 < MAX_DEPTH)
        places.push({ manifest: digest, depth: depth + 1, position: -1 });
    }
    yield found;
    if (seen.size === MAX_DIGESTS) return;
  }
}

function keyOf(digest: Uint8Array): Digest {
  return digestFromBytes(digest);
}
