import { digestAlgorithm, digestHex, isDigest, type Digest, type DigestAlgorithm } from '../../oci/digest.ts';
import { IndexDamagedError } from '../error.ts';

const NUMBERS: Readonly<Record<DigestAlgorithm, number>> = { sha256: 1, sha512: 2 };
const ALGORITHMS: readonly (DigestAlgorithm | undefined)[] = [undefined, 'sha256', 'sha512'];

/** Encodes a digest as one byte for the algorithm (1 sha256, 2 sha512), then the hash. */
export function digestToBytes(digest: Digest): Uint8Array {
  const hash = Buffer.from(digestHex(digest), 'hex');
  const bytes = Buffer.allocUnsafe(1 + hash.byteLength);
  bytes[0] = NUMBERS[digestAlgorithm(digest)];
  hash.copy(bytes, 1);
  return bytes;
}

/** Returns the bytes after which a page in the order of digests begins. @param after absent: from the beginning */
export function pageStart(after?: Digest): Uint8Array {
  return after === undefined ? new Uint8Array() : digestToBytes(after);
}

/** @throws IndexDamagedError for bytes that `digestToBytes` does not make. */
export function digestFromBytes(bytes: Uint8Array): Digest {
  const hex = Buffer.from(bytes.subarray(1)).toString('hex');
  const digest = `${ALGORITHMS[bytes[0] ?? 0]}:${hex}`;
  if (isDigest(digest)) return digest;
  throw new IndexDamagedError(`the index holds ${bytes.byteLength} bytes that are not a digest`, 'DIGEST');
}
