import type { Digest } from '../oci/digest.ts';
import type { MaintainedContent } from './maintained-content.ts';

/** Bytes that were set aside. */
export interface Broken {
  readonly digest: Digest;
  readonly isManifest: boolean;
  readonly reason: string;
}

/** Called for each blob that a run has set aside. */
export type OnBroken = (broken: Broken) => void;

/**
 * Sets wrong or unreadable bytes aside, so that they heal from upstream, and calls `onBroken`.
 * @throws StoreError, IndexError
 */
export async function setAside(
  { index, mirror }: MaintainedContent,
  digest: Digest,
  error: Error,
  onBroken: OnBroken,
): Promise<void> {
  const isManifest = (await index.manifest(digest)) !== undefined;
  await mirror.setAside(digest, error);
  onBroken({ digest, isManifest, reason: error.message });
}
