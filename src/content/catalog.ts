import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentSurvey } from '../index/content-survey.ts';
import type { ListQuery } from '../oci/tag-names.ts';

/** A page of what is cached, each entry `upstream/repository`. */
export interface CatalogPage {
  readonly entries: readonly string[];
  /** What the next page comes after; undefined where there is none. It need not be one of the entries, nor be shown. */
  readonly next: string | undefined;
}

/** Repositories that are read from the index in one turn, and looked at for one page. */
const ROWS_A_TURN = 1_000;
const ROWS_A_PAGE = 10_000;

/**
 * The repositories behind `after` that `isShown` says may be known of. A page is filled past those that may not; one
 * that would take too much looking is shorter, and the next one goes on where it ended.
 */
export async function catalogPage(
  index: Pick<ContentSurvey, 'repositories'>,
  { limit, after }: ListQuery,
  isShown: (path: string) => boolean,
): Promise<CatalogPage> {
  const shown: string[] = [];
  if (limit === 0) return { entries: shown, next: undefined };
  let reached = after;
  // Mostly all may be shown, and the first turn is the last.
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
