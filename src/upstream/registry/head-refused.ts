import { UpstreamError } from '../error.ts';

/**
 * Statuses that a GET would get as well: a proxy's (407), for time (408, 504), a limit (429) or too much load (503).
 */
const NOT_OF_HEAD: ReadonlySet<number> = new Set([407, 408, 429, 503, 504]);

/** Statuses of a server that does not support HEAD; a gateway sends 502 if the server behind it broke on one. */
const BROKEN_BY_HEAD: ReadonlySet<number> = new Set([500, 501, 502]);

/**
 * Whether a HEAD was refused in a way that leaves the question open, so that GET must ask it again. An answer to HEAD
 * has no body that could prove that the registry gave it, and many servers refuse HEAD alone: without the method (405),
 * with URLs signed for GET on another host or on the same (GHCR, GitLab), public.ecr.aws (401), registries without the
 * route (404, 500). A GET that is refused, too, costs no pull. A refusal by a token endpoint, or of the account,
 * stands.
 */
export function isHeadRefused(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.status === undefined) return false;
  const { status, reason } = error;
  if (reason === 'token' || reason === 'account-refused' || NOT_OF_HEAD.has(status)) return false;
  return (status >= 400 && status < 500) || BROKEN_BY_HEAD.has(status);
}
