import { quote } from './scanner.ts';

/** Why a request went upstream (RFC 9211 §2.2). */
type ForwardReason = 'bypass' | 'miss' | 'stale' | 'uri-miss';

/**
 * How a cache handled a request (RFC 9211 §2): answered from what it has, or went upstream and why. Or neither:
 * it answered by itself, which no parameter but `detail` can tell.
 */
export type CacheStatus = (
  { readonly hit: true } | { readonly fwd: ForwardReason } | { readonly local: true }
) & {
  /** Upstream's status. */
  readonly fwdStatus?: number | undefined;
  /** Upstream's answer was kept. */
  readonly stored?: boolean | undefined;
  /** The request shared another's flight. */
  readonly collapsed?: boolean | undefined;
  /** Freshness left, milliseconds; negative once stale. */
  readonly ttlMs?: number | undefined;
  /** Anything else, for a person who debugs. Cut to 256 characters. */
  readonly detail?: string | undefined;
};

const MAX_DETAIL_LENGTH = 256;

/** RFC 8941 §3.3.1. */
const MAX_INTEGER = 999_999_999_999_999;

/** `Cache-Status` of one cache, a structured field: `larder; fwd=stale; fwd-status=304; ttl=300`. */
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
