import { formatAge } from '../http/age.ts';
import { formatCacheStatus, type CacheStatus } from '../http/cache-status.ts';
import type { CacheHeaders } from './cache-privacy.ts';
import type { Reply } from './reply.ts';

/** Forbids browsers to guess the type of a body: a blob may hold anything. */
export const NO_SNIFF = ['X-Content-Type-Options', 'nosniff'] as const;

/**
 * Returns the reply with the headers that every answer of the registry has.
 * @param ageMs age, in milliseconds, of an answer from the cache that may have changed upstream
 * @param privacy what shared caches may not do with it; each copy of the headers costs warm manifests time
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
      ...reply.headers,
      'Docker-Distribution-Api-Version': 'registry/2.0',
      [NO_SNIFF[0]]: NO_SNIFF[1],
      'X-Request-Id': requestId,
      'Cache-Status': formatCacheStatus(status),
      ...(ageMs === undefined ? {} : { Age: formatAge(ageMs) }),
      ...privacy,
    },
  };
}
