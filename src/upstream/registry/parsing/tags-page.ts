import { isJsonObject } from '../../../oci/documents/json.ts';
import { packTags, type TagNames } from '../../../oci/tag-names.ts';
import { parseProblem } from '../../transport/problem.ts';

/** A page of tags; if the document is none, `tags` is undefined, and `code` is set if it is an error document. */
export type ParsedTagsPage =
  { readonly tags: TagNames } | { readonly tags: undefined; readonly code?: string };

/**
 * Parses a page, leaving out names that are no tags. A null list is empty, as Go writes it; without a list it is no
 * page.
 */
export function parseTagsPage(body: Uint8Array): ParsedTagsPage {
  const text = new TextDecoder().decode(body);
  const document = parseJson(text);
  const list = isJsonObject(document) ? document['tags'] : undefined;
  if (list === null) return { tags: packTags([]) };
  if (Array.isArray(list)) return { tags: packTags(list) };
  const [code] = parseProblem(text).codes;
  return code === undefined ? { tags: undefined } : { tags: undefined, code };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
