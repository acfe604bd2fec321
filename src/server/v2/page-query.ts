import type { ListQuery } from '../../oci/tag-names.ts';
import { RegistryError } from '../../oci/error.ts';
import { quoted } from '../../text/quoted.ts';

/** The most entries on a page, and how many there are where the client does not say (CVE-2023-2253). */
export const MAX_PAGE = 1000;

/**
 * `n` and `last` of a list request; one without a value is not given, as distribution has it. A larger `n` than the
 * server gives is cut to what it gives.
 * @throws RegistryError PAGINATION_NUMBER_INVALID for an `n` that is no whole number from 0, or is given twice
 */
export function parsePageQuery(query: URLSearchParams): ListQuery {
  const [n, ...others] = given(query, 'n');
  const [after] = given(query, 'last');
  if (n === undefined) return { limit: MAX_PAGE, after };
  if (others.length > 0) throw new RegistryError('PAGINATION_NUMBER_INVALID', 'n is given more than once');
  if (!/^\d{1,15}$/.test(n)) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', `n is ${quoted(n)}; expected a whole number from 0`);
  }
  return { limit: Math.min(Number(n), MAX_PAGE), after };
}

/**
 * The artifact types of a referrers request. An unencoded `+`, which media types are full of, was read as a blank,
 * which none has; one without a value asks for nothing.
 */
export function parseArtifactTypes(query: URLSearchParams): readonly string[] {
  return given(query, 'artifactType').map((type) => type.replaceAll(' ', '+'));
}

function given(query: URLSearchParams, name: string): readonly string[] {
  return query.getAll(name).filter((value) => value !== '');
}
