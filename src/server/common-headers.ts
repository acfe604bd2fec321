import { formatCacheStatus, type CacheStatus } from '../http/cache-status.ts';
import type { Reply } from './reply.ts';

/** Gives a reply the headers that every answer of the registry has. */
export function withCommonHeaders<R extends Reply>(reply: R, requestId: string, status: CacheStatus): R {
  return {
    ...reply,
    headers: {
      ...reply.headers,
      'Docker-Distribution-Api-Version': 'registry/2.0',
      'X-Request-Id': requestId,
      'Cache-Status': formatCacheStatus(status),
    },
  };
}
