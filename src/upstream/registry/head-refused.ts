import { UpstreamError } from '../error.ts';

/** These would be answered to a GET as well: a proxy (407), time (408, 504), a limit (429), too much to do (503). */
const NOT_OF_HEAD: ReadonlySet<number> = new Set([407, 408, 429, 503, 504]);

/** By which a server answers what it did not think of; 502 is a gateway's word for a server that broke on it. */
const BROKEN_BY_HEAD: ReadonlySet<number> = new Set([500, 501, 502]);

/**
 * Whether a HEAD was refused in a way that leaves the question open, so that it is asked once more by GET. An answer to
 * HEAD has no body that could prove whose word it is, and many refuse HEAD alone: no method (405), URLs signed for GET
 * on another host or on the same (GHCR, GitLab), public.ecr.aws (401), registries that lack a route (404, 500). A GET
 * that is refused, too, costs no pull. What a token endpoint said, or what was said of the account, stands.
 */
export function isHeadRefused(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.status === undefined) return false;
  const { status, reason } = error;
  if (reason === 'token' || reason === 'account-refused' || NOT_OF_HEAD.has(status)) return false;
  return (status >= 400 && status < 500) || BROKEN_BY_HEAD.has(status);
}
