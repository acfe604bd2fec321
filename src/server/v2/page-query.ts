import type { ListQuery } from '../../oci/tag-names.ts';
import { RegistryError } from '../../oci/error.ts';
import { quoted } from '../../text/quoted.ts';

/** The most entries on a page, and the number if the client does not say (CVE-2023-2253). */
export const MAX_PAGE = 1000;

/**
 * Reads `n` and `last` of a list request. A parameter without a value counts as absent, as in distribution. An `n`
 * above `MAX_PAGE` is cut to it.
 * @throws RegistryError PAGINATION_NUMBER_INVALID if `n` is no whole number from 0, or is there twice
 */
export function parsePageQuery(query: URLSearchParams): ListQuery {
  const [n, ...others] = valuesOf(query, 'n');
  const [after] = valuesOf(query, 'last');
  if (n === undefined) return { limit: MAX_PAGE, after };
  if (others.length > 0) throw new RegistryError('PAGINATION_NUMBER_INVALID', 'n is given more than once');
  if (!/^\d{1,15}$/.test(n)) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', `n is ${quoted(n)}; expected a whole number from 0`);
  }
  return { limit: Math.min(Number(n), MAX_PAGE), after };
}

/**
 * Reads the artifact types of a referrers request. A query decodes an unencoded `+` as a blank. Media types are full of
 * `+` and have no blanks, so each blank is read as `+`. A parameter without a value counts as absent.
 */
export function parseArtifactTypes(query: URLSearchParams): readonly string[] {
  return valuesOf(query, 'artifactType').map((type) => type.replaceAll(' ', '+'));
}

function valuesOf(query: URLSearchParams, name: string): readonly string[] {
  return query.getAll(name).filter((value) => value !== '');
}
