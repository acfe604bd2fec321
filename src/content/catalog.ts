import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentSurvey } from '../index/content-survey.ts';
import type { ListQuery } from '../oci/tag-names.ts';

/** A page of the cached repositories, each entry `upstream/repository`. */
export interface CatalogPage {
  readonly entries: readonly string[];
  /**
   * Entry after which the next page begins; undefined if there is no next page. The entry itself may be one that must
   * not be shown.
   */
  readonly next: string | undefined;
}

/** Greatest numbers of repositories that are read from the index: in one turn, and for one page. */
const ROWS_A_TURN = 1_000;
const ROWS_A_PAGE = 10_000;

/**
 * Lists the repositories after `after` that may be shown, and passes over the others. If too many would have to be read
 * to fill the page, the page is shorter, and the next one goes on where it ended.
 */
export async function catalogPage(
  index: Pick<ContentSurvey, 'repositories'>,
  { limit, after }: ListQuery,
  isShown: (path: string) => boolean,
): Promise<CatalogPage> {
  const shown: string[] = [];
  if (limit === 0) return { entries: shown, next: undefined };
  let reached = after;
  // Usually all may be shown, and the first turn is the last.
  for (let rows = limit + 1, seen = 0; seen < ROWS_A_PAGE; rows = ROWS_A_TURN) {
    const paths = await index.repositories({ after: reached, limit: rows });
    for (const path of paths.filter(isShown)) {
      if (shown.length === limit) return { entries: shown, next: shown.at(-1) };
      shown.push(path);
    }
    if (paths.length < rows) return { entries: shown, next: undefined };
    seen += rows;
    reached = paths.at(-1);
    await nextTurn();
  }
  return { entries: shown, next: reached };
}
