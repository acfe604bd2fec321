import { asciiLower } from '../text/ascii.ts';
import { quoted } from '../text/quoted.ts';
import { parseDigest, type Digest } from './digest.ts';
import { RegistryError } from './error.ts';
import type { Reference } from './reference.ts';
import { parseRepositoryName, type RepositoryName } from './repository-name.ts';
import { parseTag, type Tag } from './tag.ts';

/** An image as people and files name it, with the defaults of Docker's clients filled in. */
export interface ImageReference {
  /** Host of the registry in lower case, with its port if one is written: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

const DOCKER_HUB = 'docker.io';

/** Hosts by which Docker Hub is called besides `docker.io`. */
const HUB_ALIASES: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io']);

const HOST = /^(?=.*[.:]|localhost$)(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/;

/**
 * Whether the first segment of a name is a registry: by a dot, a port or `localhost`, clients tell it from the first
 * part of a repository (distribution/reference, `splitDockerDomain`). @param segment in lower case
 */
export function isRegistryHost(segment: string): boolean {
  return HOST.test(segment);
}

/**
 * Reads `debian`, `debian:12`, `acme/app`, `ghcr.io/acme/app:1@sha256:...` as Docker's clients do
 * (distribution/reference, `ParseNormalizedNamed`): without a host the registry is Docker Hub, and a repository of one
 * segment there is in `library/`. No tag is filled in: `referenceOf` does that.
 * @throws RegistryError NAME_INVALID, TAG_INVALID or DIGEST_INVALID
 */
export function parseImageReference(text: string): ImageReference {
  // A client takes such a name for the id of a local image.
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new RegistryError(
      'NAME_INVALID',
      `${quoted(text)} is the id of an image, and no registry knows it`,
    );
  }
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return {
    ...splitName(colon === -1 ? named : named.slice(0, colon)),
    ...(colon !== -1 && { tag: parseTag(named.slice(colon + 1)) }),
    ...(at !== -1 && { digest: parseDigest(text.slice(at + 1)) }),
  };
}

function splitName(name: string): Pick<ImageReference, 'registry' | 'repository'> {
  const slash = name.indexOf('/');
  const first = asciiLower(name.slice(0, Math.max(0, slash)));
  const hasHost = isRegistryHost(first);
  const registry = hasHost && !HUB_ALIASES.has(first) ? first : DOCKER_HUB;
  const repository = hasHost ? name.slice(slash + 1) : name;
  const isOfficial = registry === DOCKER_HUB && !repository.includes('/');
  // The name is checked as it was typed, so that an error quotes that.
  const checked = parseRepositoryName(repository);
  return { registry, repository: isOfficial ? parseRepositoryName(`library/${checked}`) : checked };
}

/** Returns what a client asks its registry for: the digest; without one the tag; without either, `latest`. */
export function referenceOf({ tag, digest }: Pick<ImageReference, 'tag' | 'digest'>): Reference {
  if (digest !== undefined) return { kind: 'digest', digest };
  return { kind: 'tag', tag: tag ?? parseTag('latest') };
}

/** Formats a reference in full: `docker.io/library/debian:12@sha256:...`. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  const ofTag = tag === undefined ? '' : `:${tag}`;
  const ofDigest = digest === undefined ? '' : `@${digest}`;
  return `${registry}/${repository}${ofTag}${ofDigest}`;
}
