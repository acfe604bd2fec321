import type { OutgoingHttpHeaders } from 'node:http';
import type { Mirror } from '../../cache/mirror.ts';
import type { ListPage } from '../../cache/tag-lists.ts';
import { formatNextLink } from '../../http/link.ts';
import type { Digest } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { filterReferrers, formatReferrersIndex } from '../../oci/referrers.ts';
import type { Answer } from '../answer.ts';
import { parseArtifactTypes, parsePageQuery } from '../page-query.ts';
import { jsonBody } from '../reply.ts';
import type { Question } from './question.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** `tags/list` (distribution-spec, "Listing Tags"). */
export async function answerTags(mirror: Mirror, question: Question): Promise<Answer> {
  const { target, name, query, rawPath } = question;
  const page = await mirror.tags(target, parsePageQuery(query));
  return {
    status: 200,
    headers: { ...JSON_TYPE, ...nextLink(rawPath, query, page) },
    body: jsonBody({ name, tags: page.entries }),
    outcome: page.outcome,
  };
}

/** `_catalog`: the repositories that are cached here, each by the name under which it can be pulled from here. */
export async function answerCatalog(
  mirror: Mirror,
  { query, rawPath }: Pick<Question, 'query' | 'rawPath'>,
): Promise<Answer> {
  const page = await mirror.catalog(parsePageQuery(query));
  return {
    status: 200,
    headers: { ...JSON_TYPE, ...nextLink(rawPath, query, page) },
    body: jsonBody({ repositories: page.entries }),
    outcome: page.outcome,
  };
}

/** `referrers`: always an index, an empty one where nothing refers (distribution-spec, "Listing Referrers"). */
export async function answerReferrers(mirror: Mirror, question: Question, subject: Digest): Promise<Answer> {
  const { target, query } = question;
  const { descriptors, outcome } = await mirror.referrers(target, subject);
  const types = parseArtifactTypes(query);
  const wanted = types.length === 0 ? descriptors : filterReferrers(descriptors, types);
  return {
    status: 200,
    headers: {
      // Exactly this: oras compares the string.
      'Content-Type': MediaType.ociIndex,
      ...(types.length === 0 ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    },
    body: { kind: 'bytes', bytes: formatReferrersIndex(wanted) },
    outcome,
  };
}

function nextLink(
  rawPath: string,
  query: URLSearchParams,
  { entries, hasMore }: ListPage,
): OutgoingHttpHeaders {
  const last = entries.at(-1);
  if (!hasMore || last === undefined) return {};
  const next = new URLSearchParams(query);
  next.set('last', last);
  next.set('n', String(entries.length));
  return { Link: formatNextLink(rawPath, next) };
}
