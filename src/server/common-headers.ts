import { formatAge } from '../http/age.ts';
import { formatCacheStatus, type CacheStatus } from '../http/cache-status.ts';
import type { CacheHeaders } from './cache-privacy.ts';
import type { Reply } from './reply.ts';

/** Forbids browsers to guess the type of a body: a blob may hold anything. */
export const NO_SNIFF = ['X-Content-Type-Options', 'nosniff'] as const;

/** The headers that are the same in every answer of the registry. */
const CONSTANT_HEADERS = {
  'Docker-Distribution-Api-Version': 'registry/2.0',
  [NO_SNIFF[0]]: NO_SNIFF[1],
};

/**
 * Returns the reply with the headers that every answer of the registry has.
 * @param ageMs age, in milliseconds, of an answer from the cache that may have changed upstream
 * @param privacy what shared caches may not do with it
 */
export function withCommonHeaders<R extends Reply>(
  reply: R,
  requestId: string,
  status: CacheStatus,
  ageMs?: number,
  privacy?: CacheHeaders,
): R {
  return {
    ...reply,
    headers: {
      ...withConstantHeaders(reply.headers, privacy),
      'X-Request-Id': requestId,
      'Cache-Status': formatCacheStatus(status),
      ...(ageMs === undefined ? {} : { Age: formatAge(ageMs) }),
    },
  };
}

/** Returns those of these headers that do not differ from request to request of such clients, and the reply's own. */
export function withConstantHeaders(
  headers: Reply['headers'],
  privacy: CacheHeaders | undefined,
): Reply['headers'] {
  return { ...headers, ...CONSTANT_HEADERS, ...privacy };
}

/** Returns the others, flat: names and values in turn. */
export function requestHeaders(requestId: string, status: CacheStatus, ageMs: number | undefined): string[] {
  const headers = ['X-Request-Id', requestId, 'Cache-Status', formatCacheStatus(status)];
  if (ageMs !== undefined) headers.push('Age', formatAge(ageMs));
  return headers;
}
