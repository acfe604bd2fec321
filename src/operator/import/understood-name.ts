import { BundleError } from '../../archive/bundle-error.ts';
import type { UnderstoodName } from '../../archive/import/import-options.ts';
import type { RepositoryTable } from '../../repository/repository-table.ts';
import { quoted } from '../../text/quoted.ts';
import { OperatorError } from '../error.ts';
import { formatSelector, parseSelectors, type NamingOptions, type Selector } from '../selector.ts';

/**
 * Returns what a name in a bundle means here, as operators' names do: aliases of registries and short names count.
 * @throws BundleError if it is no name of a repository, or the configuration does not serve that repository
 */
export function understoodName(
  text: string,
  {
    repositories,
    naming,
  }: { readonly repositories: Pick<RepositoryTable, 'find'>; readonly naming: NamingOptions },
): UnderstoodName {
  // A host in front is the registry: read as the first part of a name on the default upstream, an image of a registry
  // that is not configured would come under the name of another.
  const named = selectorsOf(text, naming).at(-1);
  if (named === undefined || named.kind === 'digest') {
    throw new BundleError(`${quoted(text)} names no repository`);
  }
  const { key } = named;
  if (repositories.find(key) !== undefined) return { key, reference: referenceOf(named) };
  const meant = formatSelector({ kind: 'repository', key });
  throw new BundleError(`${quoted(text)}: the configuration serves no ${meant} (upstreams)`);
}

function selectorsOf(text: string, naming: NamingOptions): readonly Selector[] {
  try {
    return parseSelectors(text, naming);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new BundleError(error.message, { cause: error });
  }
}

function referenceOf(selector: Exclude<Selector, { kind: 'digest' }>): UnderstoodName['reference'] {
  switch (selector.kind) {
    case 'repository':
      return undefined;
    case 'tag':
      return { kind: 'tag', tag: selector.tag };
    case 'content':
      return { kind: 'digest', digest: selector.digest };
  }
}
