import { digestAlgorithm, digestOf, isDigest, type Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { documentType } from '../../oci/document-type.ts';
import { parseJsonObject } from '../../oci/json.ts';
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

/** A manifest as it was fetched, but for its bytes, which the caller has. */
export type VerifiedManifest = Omit<FetchedManifest, 'bytes'>;

/** What an upstream sent as a manifest. */
export interface ManifestAnswer {
  readonly bytes: Uint8Array;
  /** Content-Type as it came. */
  readonly contentType: string | undefined;
  /** Docker-Content-Digest as it came: a claim. */
  readonly claimedDigest: string | undefined;
}

/** What upstream sent is not the manifest that was asked for. The message says in what. */
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
 * Verifies a manifest against the reference it was asked by (protocol.md D2, A6): its type, its document, its
 * digest and what upstream claims of it. The digest is computed by the algorithm of the reference.
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

/** What the document says of itself counts where it names the kind that it was served as by that kind's other name. */
function readable(bytes: Uint8Array, served: ManifestMediaType): Manifest {
  try {
    return parseManifest(bytes, served);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new ContentMismatch(`sent a manifest that is none: ${error.message}`, { cause: error });
  }
}

/**
 * The type by Content-Type; where that is vague, by the document.
 * @throws ContentMismatch for HTML and whatever else is no manifest
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
 * Schema 1: the digest is over the payload of the signatures, at some registries over all bytes. What is kept by a
 * digest must have it over all bytes, so that only such a one counts as verified.
 * @throws ContentMismatch where neither has the digest that was asked for, or that upstream claims
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
