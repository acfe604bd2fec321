import { createHash } from 'node:crypto';
import { RegistryError } from './error.ts';
import { quoted } from '../text/quoted.ts';

declare const digestBrand: unique symbol;

/** `algorithm:encoded`, validated: only the registered algorithms sha256 and sha512, in lower-case hex. */
export type Digest = string & { readonly [digestBrand]: true };

export type DigestAlgorithm = 'sha256' | 'sha512';

const PATTERNS: Record<DigestAlgorithm, RegExp> = {
  sha256: /^sha256:[a-f0-9]{64}$/,
  sha512: /^sha512:[a-f0-9]{128}$/,
};

/** Whether `text` is a digest that Larder can verify (image-spec descriptor.md, "Registered Algorithms"). */
export function isDigest(text: string): text is Digest {
  return PATTERNS.sha256.test(text) || PATTERNS.sha512.test(text);
}

/**
 * Checks a digest.
 * @throws RegistryError DIGEST_INVALID for anything but a well-formed sha256 or sha512 digest; upper-case hex is not
 *   allowed (image-spec descriptor.md, "Digests")
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryError(
    'DIGEST_INVALID',
    `${quoted(text)} is not a digest: expected sha256: and 64, or sha512: and 128 lower-case hex digits`,
  );
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** Returns the part behind the colon: lower-case hex, safe as a file name. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Computes a digest while the bytes arrive. */
export interface Digester {
  update(bytes: Uint8Array): void;
  /** Ends the computation; may be called once. */
  digest(): Digest;
}

export function createDigester(algorithm: DigestAlgorithm): Digester {
  const hash = createHash(algorithm);
  return {
    update(bytes) {
      hash.update(bytes);
    },
    digest: () => `${algorithm}:${hash.digest('hex')}` as Digest,
  };
}

/** Returns the digest of bytes that are all in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** Whether a digest is that of the empty content. */
export function isEmptyDigest(digest: Digest): boolean {
  return digest === digestOf('', digestAlgorithm(digest));
}
