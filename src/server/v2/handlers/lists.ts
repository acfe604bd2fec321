import { HIT } from '../../../repository/outcome.ts';
import type { OutgoingHttpHeaders } from 'node:http';
import { formatNextLink } from '../../../http/link.ts';
import type { CatalogPage } from '../../../content/catalog.ts';
import type { Digest } from '../../../oci/digest.ts';
import { MediaType } from '../../../oci/media-type.ts';
import type { ListQuery } from '../../../oci/tag-names.ts';
import { filterReferrers, formatReferrersIndex } from '../../../oci/referrers.ts';
import type { Answer } from '../answer.ts';
import { parseArtifactTypes, parsePageQuery } from '../page-query.ts';
import { jsonBody } from '../../reply.ts';
import type { Question } from './question.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Answers `tags/list` (distribution-spec, "Listing Tags"). */
export async function answerTags(question: Question): Promise<Answer> {
  const { repository, name, query, rawPath } = question;
  const asked = parsePageQuery(query);
  const { entries, hasMore, outcome } = await repository.tags(asked, question);
  return {
    status: 200,
    headers: { ...JSON_TYPE, ...nextLink(rawPath, query, asked.limit, hasMore ? entries.at(-1) : undefined) },
    body: jsonBody({ name, tags: entries }),
    outcome,
  };
}

/** Decides which repositories the catalog shows. */
export interface CatalogView {
  /** Returns a page of the cached repositories: `registry/repository`, in ASCII order. */
  readonly page: (query: ListQuery, isShown: (path: string) => boolean) => Promise<CatalogPage>;
  /** Whether the client may see a repository (`registry/repository`); undefined: it may see none. */
  readonly isShown: ((path: string) => boolean) | undefined;
}

const EMPTY_PAGE: CatalogPage = { entries: [], hasMore: false };

/** Answers `_catalog`: the cached repositories, each by the name under which a client can pull it from here. */
export async function answerCatalog(
  { query, rawPath }: Pick<Question, 'query' | 'rawPath'>,
  { page, isShown }: CatalogView,
): Promise<Answer> {
  const asked = parsePageQuery(query);
  const { entries, hasMore } = isShown === undefined ? EMPTY_PAGE : await page(asked, isShown);
  return {
    status: 200,
    headers: { ...JSON_TYPE, ...nextLink(rawPath, query, asked.limit, hasMore ? entries.at(-1) : undefined) },
    body: jsonBody({ repositories: entries }),
    outcome: HIT,
  };
}

/** Answers `referrers`: always an index, an empty one if there are none (distribution-spec, "Listing Referrers"). */
export async function answerReferrers(question: Question, subject: Digest): Promise<Answer> {
  const { repository, query } = question;
  const { descriptors, outcome } = await repository.referrers(subject, question);
  const types = parseArtifactTypes(query);
  const wanted = types.length === 0 ? descriptors : filterReferrers(descriptors, types);
  return {
    status: 200,
    headers: {
      // Without parameters: oras compares the whole string.
      'Content-Type': MediaType.ociIndex,
      ...(types.length === 0 ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    },
    body: { kind: 'bytes', bytes: formatReferrersIndex(wanted) },
    outcome,
  };
}

/** @param last the entry that the next page comes after; undefined if there is no next page */
function nextLink(
  rawPath: string,
  query: URLSearchParams,
  limit: number,
  last: string | undefined,
): OutgoingHttpHeaders {
  if (last === undefined) return {};
  const next = new URLSearchParams(query);
  next.set('last', last);
  next.set('n', String(limit));
  return { Link: formatNextLink(rawPath, next) };
}
