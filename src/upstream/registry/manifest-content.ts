import { digestAlgorithm, digestOf, isDigest, type Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { documentType } from '../../oci/documents/document-type.ts';
import { parseJsonObject } from '../../oci/documents/json.ts';
import { parseManifest, type Manifest } from '../../oci/manifest.ts';
import {
  bareMediaType,
  isManifestMediaType,
  isSchema1MediaType,
  type ManifestMediaType,
} from '../../oci/media-type.ts';
import type { Reference } from '../../oci/reference.ts';
import { schema1Payload } from './schema1-payload.ts';
import type { FetchedManifest } from '../upstream.ts';

/** A fetched manifest without its bytes, which the caller has. */
export type VerifiedManifest = Omit<FetchedManifest, 'bytes'>;

/** The answer that an upstream sent as a manifest. */
export interface ManifestAnswer {
  readonly bytes: Uint8Array;
  /** Content-Type as it came. */
  readonly contentType: string | undefined;
  /** Docker-Content-Digest as it came: a claim, not verified. */
  readonly claimedDigest: string | undefined;
}

/** The answer is not the manifest that was asked for. The message says in what it differs. */
export class ContentMismatch extends Error {
  override readonly name = 'ContentMismatch';
}

/** Content types that some registries send for any manifest (schema 1 at registry.access.redhat.com as text). */
const VAGUE_TYPES: ReadonlySet<string | undefined> = new Set([
  undefined,
  'text/plain',
  'application/json',
  'application/octet-stream',
]);

/**
 * Verifies a manifest against the reference that was asked for: its type, its document, its digest
 * and the digest that upstream claims. The digest is computed by the algorithm of the reference.
 * @throws ContentMismatch
 */
export function verifyManifest(answer: ManifestAnswer, reference: Reference): VerifiedManifest {
  const content = readable(answer.bytes, servedType(answer));
  const { mediaType } = content;
  if (isSchema1MediaType(mediaType)) return { ...schema1(answer, mediaType, reference), content };
  const asked = reference.kind === 'digest' ? reference.digest : undefined;
  const digest = digestOf(answer.bytes, asked === undefined ? 'sha256' : digestAlgorithm(asked));
  if (asked !== undefined && digest !== asked) {
    throw new ContentMismatch(`sent a manifest of digest ${digest} for ${asked}`);
  }
  const claimed = claimedDigest(answer);
  if (claimed !== undefined && digestOf(answer.bytes, digestAlgorithm(claimed)) !== claimed) {
    throw new ContentMismatch(`claims the digest ${claimed} for a manifest of digest ${digest}`);
  }
  return { mediaType, digest, verified: true, content };
}

/** Parses the document. Its own `mediaType` counts if it is the other name of the kind that the document came as. */
function readable(bytes: Uint8Array, served: ManifestMediaType): Manifest {
  try {
    return parseManifest(bytes, served);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new ContentMismatch(`sent a manifest that is none: ${error.message}`, { cause: error });
  }
}

/**
 * Returns the type by Content-Type or, if that is vague, by the document.
 * @throws ContentMismatch for HTML and any other type that is no manifest's
 */
function servedType({ bytes, contentType }: ManifestAnswer): ManifestMediaType {
  const bare = bareMediaType(contentType);
  if (bare !== undefined && isManifestMediaType(bare)) return bare;
  const said = VAGUE_TYPES.has(bare) ? typeOfBytes(bytes) : undefined;
  if (said !== undefined) return said;
  throw new ContentMismatch(`sent ${bare ?? 'something without a Content-Type'} for a manifest`);
}

function typeOfBytes(bytes: Uint8Array): ManifestMediaType | undefined {
  try {
    return documentType(parseJsonObject(bytes));
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/**
 * Verifies a manifest of schema 1. Its digest is over the payload of its signatures, at some registries over all bytes.
 * It counts as verified only with a digest over all bytes, since the store keeps content by such digests.
 * @throws ContentMismatch if neither payload nor bytes have the digest that was asked for, or that upstream claims
 */
function schema1(
  answer: ManifestAnswer,
  mediaType: ManifestMediaType,
  reference: Reference,
): Omit<VerifiedManifest, 'content'> {
  const { bytes } = answer;
  const payload = schema1Payload(bytes);
  const has = (digest: Digest, part: Uint8Array | undefined): boolean =>
    part !== undefined && digestOf(part, digestAlgorithm(digest)) === digest;
  const asked = reference.kind === 'digest' ? reference.digest : undefined;
  const claimed = claimedDigest(answer);
  for (const digest of [asked, claimed]) {
    if (digest === undefined || has(digest, bytes) || has(digest, payload)) continue;
    throw new ContentMismatch(`sent a manifest of schema 1 that has not the digest ${digest}`);
  }
  const digest = asked ?? claimed ?? digestOf(payload ?? bytes);
  return { mediaType, digest, verified: has(digest, bytes) };
}

function claimedDigest({ claimedDigest }: ManifestAnswer): Digest | undefined {
  return claimedDigest !== undefined && isDigest(claimedDigest) ? claimedDigest : undefined;
}
