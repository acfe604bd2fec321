import { RegistryError } from '../../../oci/error.ts';
import { parseManifest, type Manifest } from '../../../oci/manifest.ts';
import { parseReferrersIndex } from '../../../oci/referrers.ts';
import type { Descriptor } from '../../../oci/descriptor.ts';
import type { Reference } from '../../../oci/reference.ts';
import { mergeTags } from '../../../oci/tag-names.ts';
import {
  ContentMismatch,
  verifyManifest,
  type ManifestAnswer,
  type VerifiedManifest,
} from '../manifest-content.ts';
import { parseTagsPage } from './tags-page.ts';

/** The value read from a document, or the reason in words why it could not be read. */
export type Reading<T> = { readonly read: T } | { readonly problem: string };

/**
 * The functions that may run in another thread. They are pure; arguments and results are plain data, since they are
 * copied. None throws because of a document: its faults are part of the result.
 */
export const FUNCTIONS = {
  tagsPage: parseTagsPage,
  mergeTags,
  manifest: (bytes: Uint8Array, mediaType: string): Reading<Manifest> =>
    reading(() => parseManifest(bytes, mediaType)),
  fetchedManifest: (answer: ManifestAnswer, reference: Reference): Reading<VerifiedManifest> =>
    reading(() => verifyManifest(answer, reference)),
  referrers: (bytes: Uint8Array): Reading<Descriptor[]> => reading(() => parseReferrersIndex(bytes)),
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

export type ResultOf<Name extends FunctionName> = ReturnType<(typeof FUNCTIONS)[Name]>;

/** One call of one of the functions. */
export interface Work<Name extends FunctionName = FunctionName> {
  readonly name: Name;
  readonly args: Parameters<(typeof FUNCTIONS)[Name]>;
  /** Memory that the caller gives away: it is moved instead of copied, and empty afterwards. */
  readonly transfer?: readonly ArrayBuffer[];
}

function reading<T>(read: () => T): Reading<T> {
  try {
    return { read: read() };
  } catch (error) {
    if (error instanceof RegistryError || error instanceof ContentMismatch) return { problem: error.message };
    throw error;
  }
}
