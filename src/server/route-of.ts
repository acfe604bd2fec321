import { isV2Path } from './v2/v2-path.ts';

/** Segments of letters, digits, `_`, `-` and dots, none of them empty, `.` or `..`. */
const PAGE = /^(?:(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+)+\/?|\/)$/;

/**
 * Which part of the server a raw path belongs to. Nothing is normalised first: a proxy in front that lets only `/v2/`
 * through has compared the path as it was sent. A page's path has but one spelling, which stays itself however it is
 * normalised.
 * @returns `none` for what is neither the registry's nor may be a page's
 */
export function routeOf(path: string): 'registry' | 'page' | 'none' {
  if (isV2Path(path)) return 'registry';
  return PAGE.test(path) ? 'page' : 'none';
}
