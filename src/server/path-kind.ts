import { TOKEN_PATH } from './request/public-url.ts';
import { isV2Path } from './v2/v2-path.ts';

/** Segments of letters, digits, `_`, `-` and dots, none of which is empty, `.` or `..`. */
const PAGE = /^(?:(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+)+\/?|\/)$/;

/**
 * Returns the part of the server that answers a raw path. The path is not normalised first: a proxy in front that lets
 * only `/v2/` through has compared the path as it was sent. A page's path has only one spelling, which every
 * normalisation leaves as it is.
 * @returns `none` for a path that neither the registry nor a page can have
 */
export function pathKind(path: string): 'registry' | 'tokens' | 'page' | 'none' {
  if (isV2Path(path)) return 'registry';
  if (path === TOKEN_PATH) return 'tokens';
  return PAGE.test(path) ? 'page' : 'none';
}
