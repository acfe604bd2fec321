import { aliasedRegistry } from '../config/sections/known-registries.ts';
import { asciiLower } from '../text/ascii.ts';
import { RegistryError } from '../oci/error.ts';
import {
  formatImageReference,
  isRegistryHost,
  parseImageReference,
  type ImageReference,
} from '../oci/image-reference.ts';
import { quoted } from '../text/quoted.ts';
import { AskError } from './error.ts';

export type Scheme = 'http' | 'https';

/** A registry, as it was typed. */
export interface AskedRegistry {
  /** Its own name, in lower case: `docker.io`, `localhost:5000`. */
  readonly name: string;
  /** The scheme in front of the name, if one was typed. */
  readonly scheme: Scheme | undefined;
}

/** What was typed: a repository, perhaps with a tag, a digest or both. */
export interface Asked extends Omit<ImageReference, 'registry'> {
  readonly registry: AskedRegistry;
}

/**
 * Reads a repository or an image as it is typed for a container engine: `alpine`, `ghcr.io/acme/app:1`,
 * `localhost:5000/x@sha256:…`. A scheme may stand in front of a registry.
 * @throws AskError
 */
export function parseAsked(text: string): Asked {
  const { scheme, rest } = splitScheme(text);
  if (scheme !== undefined && !isRegistryHost(asciiLower(rest.replace(/\/.*$/s, '')))) {
    throw new AskError(`${quoted(text)}: expected a host with a dot or a port behind ${scheme}://`);
  }
  try {
    const { registry, ...image } = parseImageReference(rest);
    return { ...image, registry: registryOf(registry, scheme) };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new AskError(`${quoted(text)} is no reference: ${error.message}`, { cause: error });
  }
}

/** Reads the name of a registry: `ghcr.io`, `localhost:5000`, `http://registry.example`. @throws AskError */
export function parseAskedRegistry(text: string): AskedRegistry {
  const { scheme, rest } = splitScheme(text);
  const host = asciiLower(rest.replace(/\/$/, ''));
  if (isRegistryHost(host)) return registryOf(host, scheme);
  throw new AskError(`${quoted(text)} is no registry: expected a host such as ghcr.io or localhost:5000`);
}

/** Formats the repository with its registry: `docker.io/library/alpine`. */
export function formatRepository({ registry, repository }: Pick<Asked, 'registry' | 'repository'>): string {
  return `${registry.name}/${repository}`;
}

/** Formats what was asked about in full: `docker.io/library/alpine:3.20@sha256:…`. */
export function formatAsked({ registry, ...image }: Asked): string {
  return formatImageReference({ ...image, registry: registry.name });
}

function splitScheme(text: string): { readonly scheme: Scheme | undefined; readonly rest: string } {
  const [, scheme, rest] = /^(https?):\/\/(.*)$/is.exec(text) ?? [];
  if (rest === undefined) return { scheme: undefined, rest: text };
  return { scheme: scheme?.toLowerCase() === 'http' ? 'http' : 'https', rest };
}

function registryOf(host: string, scheme: Scheme | undefined): AskedRegistry {
  return { name: aliasedRegistry(host) ?? host, scheme };
}
