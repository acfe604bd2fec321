import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentSurvey } from '../index/content-survey.ts';
import type { ListQuery } from '../oci/tag-names.ts';

/** A page of the cached repositories, each entry `upstream/repository`. The next page begins after the last entry. */
export interface CatalogPage {
  readonly entries: readonly string[];
  readonly hasMore: boolean;
}

/** Greatest number of repositories that are read from the index in one turn. */
const ROWS_A_TURN = 1_000;

/**
 * Lists the repositories after `after` that may be shown, and passes over the others, however many there are: a page
 * that ended early, or at one of them, would tell that there are others.
 */
export async function catalogPage(
  index: Pick<ContentSurvey, 'repositories'>,
  { limit, after }: ListQuery,
  isShown: (path: string) => boolean,
): Promise<CatalogPage> {
  const shown: string[] = [];
  if (limit === 0) return { entries: shown, hasMore: false };
  let reached = after;
  // Usually all may be shown, and the first turn is the last.
  for (let rows = limit + 1; ; rows = ROWS_A_TURN) {
    const paths = await index.repositories({ after: reached, limit: rows });
    for (const path of paths.filter(isShown)) {
      if (shown.length === limit) return { entries: shown, hasMore: true };
      shown.push(path);
    }
    if (paths.length < rows) return { entries: shown, hasMore: false };
    reached = paths.at(-1);
    await nextTurn();
  }
}
