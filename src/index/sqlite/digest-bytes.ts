import {
  digestAlgorithm,
  digestHex,
  parseDigest,
  type Digest,
  type DigestAlgorithm,
} from '../../oci/digest.ts';

const NUMBERS: Readonly<Record<DigestAlgorithm, number>> = { sha256: 1, sha512: 2 };

/** A byte for the algorithm (1 sha256, 2 sha512), then the hash. */
export function digestToBytes(digest: Digest): Uint8Array {
  const hash = Buffer.from(digestHex(digest), 'hex');
  const bytes = Buffer.allocUnsafe(1 + hash.byteLength);
  bytes[0] = NUMBERS[digestAlgorithm(digest)];
  hash.copy(bytes, 1);
  return bytes;
}

/** @throws RegistryError DIGEST_INVALID for what `digestToBytes` does not make. */
export function digestFromBytes(bytes: Uint8Array): Digest {
  const algorithm = bytes[0] === NUMBERS.sha256 ? 'sha256' : 'sha512';
  return parseDigest(`${algorithm}:${Buffer.from(bytes.subarray(1)).toString('hex')}`);
}
