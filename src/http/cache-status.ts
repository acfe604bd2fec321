import { quote } from './scanner.ts';

/** Why a request went upstream (RFC 9211 §2.2). */
type ForwardReason = 'bypass' | 'miss' | 'stale' | 'uri-miss';

/**
 * How a cache handled a request (RFC 9211 §2): it answered from its store (`hit`), or went upstream for a reason
 * (`fwd`), or made the answer itself (`local`), which only the parameter `detail` can tell.
 */
export type CacheStatus = (
  { readonly hit: true } | { readonly fwd: ForwardReason } | { readonly local: true }
) & {
  /** Upstream's status. */
  readonly fwdStatus?: number | undefined;
  /** Whether upstream's answer was stored. */
  readonly stored?: boolean | undefined;
  /** Whether the request shared another request's flight. */
  readonly collapsed?: boolean | undefined;
  /** Remaining freshness in milliseconds; negative once stale. */
  readonly ttlMs?: number | undefined;
  /** Other information for debugging, cut to 256 characters. */
  readonly detail?: string | undefined;
};

const MAX_DETAIL_LENGTH = 256;

/** The largest integer of a structured field (RFC 8941 §3.3.1). */
const MAX_INTEGER = 999_999_999_999_999;

/** Formats `Cache-Status` of this cache, a structured field: `larder; fwd=stale; fwd-status=304; ttl=300`. */
export function formatCacheStatus(status: CacheStatus): string {
  let text = 'larder';
  if ('hit' in status) text += '; hit';
  if ('fwd' in status) text += `; fwd=${status.fwd}`;
  if (status.fwdStatus !== undefined) text += `; fwd-status=${formatInteger(status.fwdStatus)}`;
  if (status.stored === true) text += '; stored';
  if (status.collapsed === true) text += '; collapsed';
  if (status.ttlMs !== undefined) text += `; ttl=${formatInteger(status.ttlMs / 1000)}`;
  if (status.detail !== undefined) text += `; detail=${formatDetail(status.detail)}`;
  return text;
}

function formatInteger(value: number): string {
  const bounded = Math.max(-MAX_INTEGER, Math.min(MAX_INTEGER, Math.floor(value)));
  return String(Number.isNaN(bounded) ? 0 : bounded);
}

/** RFC 8941 §3.3.4: a structured field's token starts with a letter or `*` and may hold `:` and `/`. */
const STRUCTURED_TOKEN = /^[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*$/;

function formatDetail(detail: string): string {
  const shown = detail.slice(0, MAX_DETAIL_LENGTH);
  return STRUCTURED_TOKEN.test(shown) ? shown : quote(shown);
}
