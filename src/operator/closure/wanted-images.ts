import { parsePlatformName, type Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseTag, type Tag } from '../../oci/tag.ts';
import { quoted } from '../../text/quoted.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RepositoryTable } from '../../repository/repository-table.ts';
import { OperatorError } from '../error.ts';
import { formatSelector, parseSelectors, type NamingOptions, type Selector } from '../selector.ts';

/** What is needed to find the repositories of references. */
export interface WantedOptions {
  readonly repositories: Pick<RepositoryTable, 'find'>;
  readonly naming: NamingOptions;
}

/** An image as an operator has named it. */
export interface NamedReference {
  readonly reference: string;
  readonly wanted: {
    readonly repository: Repository;
    readonly reference: Reference;
    /** Whether neither a tag nor a digest is written. */
    readonly isBare: boolean;
  };
  /** The tag that is written beside a digest, as in `debian:12@sha256:…`: the digest is pulled, whatever the tag is now. */
  readonly tag?: Tag | undefined;
}

const MAX_REFERENCES = 10_000;

/**
 * Finds the images that references name, each once.
 * @throws OperatorError `invalid`, with all references that cannot be read or are not served
 */
export function readReferences(
  references: readonly string[],
  options: WantedOptions,
): readonly NamedReference[] {
  if (references.length > MAX_REFERENCES)
    throw new OperatorError('invalid', `${references.length} references: at most ${MAX_REFERENCES} at once`);
  const mistakes: string[] = [];
  const named = [...new Set(references)].flatMap((reference) => {
    try {
      return [{ reference, wanted: find(reference, options), tag: tagBeside(reference) }];
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      mistakes.push(error.message);
      return [];
    }
  });
  if (mistakes.length > 0) throw new OperatorError('invalid', mistakes.join('\n'));
  return named;
}

function find(text: string, { repositories, naming }: WantedOptions): NamedReference['wanted'] {
  const selectors = parseSelectors(text, naming);
  for (const selector of selectors) {
    if (selector.kind === 'digest')
      throw new OperatorError('invalid', `${quoted(text)} names no repository to pull it from`);
    const repository = repositories.find(selector.key);
    if (repository !== undefined)
      return { repository, reference: referenceOf(selector), isBare: selector.kind === 'repository' };
  }
  const meant = selectors.map(formatSelector).join(' or ');
  throw new OperatorError('invalid', `${quoted(text)}: the configuration serves no ${meant}`);
}

/** Returns the tag between the name and the digest of a reference that has been read; undefined if it has not both. */
function tagBeside(reference: string): Tag | undefined {
  const [, tag] = /:([^/:@]+)@/.exec(reference) ?? [];
  return tag === undefined ? undefined : parseTag(tag);
}

function referenceOf(selector: Exclude<Selector, { kind: 'digest' }>): Reference {
  switch (selector.kind) {
    case 'repository':
      return { kind: 'tag', tag: parseTag('latest') };
    case 'tag':
      return { kind: 'tag', tag: selector.tag };
    case 'content':
      return { kind: 'digest', digest: selector.digest };
  }
}

/** @throws OperatorError `invalid` */
export function readPlatform(name: string): Platform {
  const platform = parsePlatformName(name);
  if (platform !== undefined) return platform;
  throw new OperatorError('invalid', `${quoted(name)} is no platform such as linux/amd64 or linux/arm/v7`);
}
