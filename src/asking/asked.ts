import { aliasedRegistry, knownRegistry } from '../config/sections/known-registries.ts';
import { asciiLower } from '../text/ascii.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/error.ts';
import type { Reference } from '../oci/reference.ts';
import { parseRepositoryName, type RepositoryName } from '../oci/repository-name.ts';
import { isRegistrySegment, splitReference } from '../oci/spelled-reference.ts';
import { parseTag, type Tag } from '../oci/tag.ts';
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
export interface Asked {
  readonly registry: AskedRegistry;
  /** Complete: `library/alpine`. */
  readonly repository: RepositoryName;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

const HUB = 'docker.io';

/**
 * Reads a repository or an image as it is typed for a container engine: `alpine`, `ghcr.io/acme/app:1`,
 * `localhost:5000/x@sha256:…`. A scheme may stand in front of a registry.
 * @throws AskError
 */
export function parseAsked(text: string): Asked {
  const { scheme, rest } = splitScheme(text);
  try {
    const { name, tag, digest } = splitReference(rest);
    const [first = '', ...others] = name.split('/');
    const host = asciiLower(first);
    const hasRegistry = others.length > 0 && (scheme !== undefined || isRegistrySegment(host));
    const registry = hasRegistry ? registryOf(host, scheme) : registryOf(HUB, scheme);
    const path = hasRegistry ? others.join('/') : name;
    return { registry, repository: repositoryOf(registry, path), tag, digest };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new AskError(`${quoted(text)} is no reference: ${error.message}`, { cause: error });
  }
}

/** Reads the name of a registry: `ghcr.io`, `localhost:5000`, `http://registry.example`. @throws AskError */
export function parseAskedRegistry(text: string): AskedRegistry {
  const { scheme, rest } = splitScheme(text);
  const host = asciiLower(rest.replace(/\/$/, ''));
  if (isRegistrySegment(host)) return registryOf(host, scheme);
  throw new AskError(`${quoted(text)} is no registry: expected a host such as ghcr.io or localhost:5000`);
}

/** The manifest that is meant: the digest decides, as it does for container engines; without tag and digest `latest`. */
export function referenceOf({ tag, digest }: Pick<Asked, 'tag' | 'digest'>): Reference {
  if (digest !== undefined) return { kind: 'digest', digest };
  return { kind: 'tag', tag: tag ?? parseTag('latest') };
}

/** Formats the repository with its registry: `docker.io/library/alpine`. */
export function formatRepository({ registry, repository }: Pick<Asked, 'registry' | 'repository'>): string {
  return `${registry.name}/${repository}`;
}

function splitScheme(text: string): { readonly scheme: Scheme | undefined; readonly rest: string } {
  const [, scheme, rest] = /^(https?):\/\/(.*)$/is.exec(text) ?? [];
  if (rest === undefined) return { scheme: undefined, rest: text };
  return { scheme: scheme?.toLowerCase() === 'http' ? 'http' : 'https', rest };
}

function registryOf(host: string, scheme: Scheme | undefined): AskedRegistry {
  return { name: aliasedRegistry(host) ?? host, scheme };
}

function repositoryOf({ name }: AskedRegistry, path: string): RepositoryName {
  const repository = parseRepositoryName(path);
  const isShort = knownRegistry(name)?.addLibrary === true && !path.includes('/');
  return isShort ? parseRepositoryName(`library/${repository}`) : repository;
}
