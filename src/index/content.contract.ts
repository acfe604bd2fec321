import { digestOf, type Digest } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseTag } from '../oci/tag.ts';
import type { Edge } from '../oci/manifest.ts';
import type { ManifestEntry } from './manifest-index.ts';
import type { RepositoryKey } from './repository-key.ts';

export const DEBIAN = repositoryKey('docker.io', 'library/debian');
export const ALPINE = repositoryKey('docker.io', 'library/alpine');
export const OTHER_DEBIAN = repositoryKey('ghcr.io', 'library/debian');

export const LATEST = parseTag('latest');

export function repositoryKey(upstream: string, repository: string): RepositoryKey {
  return { registry: upstream, repository: parseRepositoryName(repository) };
}

/** Returns a digest for each name; every third one is sha512. */
export function digest(name: string): Digest {
  return digestOf(name, name.charCodeAt(0) % 3 === 0 ? 'sha512' : 'sha256');
}

export function manifest(name: string, rest: Partial<ManifestEntry> = {}): ManifestEntry {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return { descriptor: { mediaType, digest: digest(name), size: 500 }, subject: undefined, ...rest };
}

export function edge(role: Edge['role'], name: string, size = 1000): Edge {
  return { role, digest: digest(name), size, mediaType: `application/vnd.test.${role}` };
}
