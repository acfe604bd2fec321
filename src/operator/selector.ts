import type { RepositoryKey } from '../index/repository-key.ts';
import { asciiLower } from '../text/ascii.ts';
import { parseDigest, type Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/error.ts';
import { isRegistryHost } from '../oci/image-reference.ts';
import { quoted } from '../text/quoted.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseTag, type Tag } from '../oci/tag.ts';
import { keyOf, type RegistryNames } from '../repository/registry-names.ts';
import { OperatorError } from './error.ts';

/** What an operator's command is about. */
export type Selector =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'repository'; readonly key: RepositoryKey }
  | { readonly kind: 'tag'; readonly key: RepositoryKey; readonly tag: Tag }
  /** A manifest or blob of one repository. */
  | { readonly kind: 'content'; readonly key: RepositoryKey; readonly digest: Digest };

/** The configured names by which operators call registries. */
export interface NamingOptions {
  readonly upstreams: readonly RegistryNames[];
  /** Name of the upstream that is meant if the text names none. */
  readonly defaultUpstream: string;
}

/**
 * Reads what operators type: `debian`, `debian:12`, `ghcr.io/acme/app@sha256:...`, or a digest by itself. The name or
 * alias of a configured upstream stands for that upstream. Any other first segment with a dot or a colon may name an
 * upstream that was once configured (its images may still be cached), or be the first part of a name on the default
 * upstream.
 * @returns the possible meanings, the likeliest first
 * @throws OperatorError `invalid`
 */
export function parseSelectors(text: string, options: NamingOptions): readonly Selector[] {
  try {
    if (/^sha(?:256|512):/.test(text)) return [{ kind: 'digest', digest: parseDigest(text) }];
    const { name, tag, digest } = splitReference(text);
    return parseKeys(name.split('/'), options).map((key) => selectorOf(key, tag, digest));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const message = `${quoted(text)} is no reference: ${error.message}`;
    throw new OperatorError('invalid', message, { cause: error });
  }
}

interface SplitReference {
  readonly name: string;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/** Splits `name:tag@digest`; the digest decides, as it does for clients. A colon before a slash is a port's. */
function splitReference(text: string): SplitReference {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : parseDigest(text.slice(at + 1));
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (colon === -1) return { name: named, tag: undefined, digest };
  return { name: named.slice(0, colon), tag: parseTag(named.slice(colon + 1)), digest };
}

function selectorOf(key: RepositoryKey, tag: Tag | undefined, digest: Digest | undefined): Selector {
  if (digest !== undefined) return { kind: 'content', key, digest };
  return tag === undefined ? { kind: 'repository', key } : { kind: 'tag', key, tag };
}

function parseKeys(segments: readonly string[], options: NamingOptions): readonly RepositoryKey[] {
  const [first = '', ...rest] = segments;
  const host = asciiLower(first);
  const named = rest.length === 0 ? undefined : findUpstream(options, host);
  if (named !== undefined) return [keyOf(named, rest)];
  const byDefault = findUpstream(options, options.defaultUpstream) ?? formerUpstream(options.defaultUpstream);
  if (rest.length === 0 || !isRegistryHost(host)) return [keyOf(byDefault, segments)];
  const former = keyOf(formerUpstream(host), rest);
  // No name on any registry has a colon, and none on Docker Hub a dot in its first segment.
  return host.includes(':') || byDefault.addLibrary ? [former] : [keyOf(byDefault, segments), former];
}

function formerUpstream(name: string): RegistryNames {
  return { name, aliases: [], addLibrary: false };
}

function findUpstream({ upstreams }: NamingOptions, host: string): RegistryNames | undefined {
  return upstreams.find(({ name, aliases }) => name === host || aliases.includes(host));
}

/** Formats `upstream/repository`, as `_catalog` lists it. */
export function formatRepositoryKey({ registry: upstream, repository }: RepositoryKey): string {
  return `${upstream}/${repository}`;
}

/** Reads what `formatRepositoryKey` writes. An upstream's name has no slash. */
export function parseKey(path: string): RepositoryKey {
  const slash = path.indexOf('/');
  return { registry: path.slice(0, slash), repository: parseRepositoryName(path.slice(slash + 1)) };
}

/** Formats a selector in the form that operators type, with the upstream named. */
export function formatSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'digest':
      return selector.digest;
    case 'repository':
      return formatRepositoryKey(selector.key);
    case 'tag':
      return `${formatRepositoryKey(selector.key)}:${selector.tag}`;
    case 'content':
      return `${formatRepositoryKey(selector.key)}@${selector.digest}`;
  }
}
