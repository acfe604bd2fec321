import { isJsonObject } from '../../../oci/json.ts';
import { packTags, type TagNames } from '../../../oci/tag-names.ts';
import { parseProblem } from '../../transport/problem.ts';

/** A page of tags; or that it is none, and the code of the error that it is instead, where it is one. */
export type ParsedTagsPage =
  { readonly tags: TagNames } | { readonly tags: undefined; readonly code?: string };

/** Names that are no tags are left out. Go writes an empty list as null; a document without any list is none. */
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
