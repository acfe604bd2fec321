import type { SeenRequest } from './counting-proxy.ts';

/** Returns the requests for content, in order: `HEAD manifest bookworm`. Pings and tokens are not content. */
export function contentRequests(requests: readonly SeenRequest[]): readonly string[] {
  return requests
    .filter((request) => request.kind !== 'ping' && request.kind !== 'other')
    .map((request) => `${request.method} ${request.kind} ${request.reference ?? ''}`.trim());
}

/** Counts how often the bytes of each digest were sent, whether asked for by tag or by digest. */
export function transfers(requests: readonly SeenRequest[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const request of requests) {
    const isTransfer = request.method === 'GET' && (request.kind === 'manifest' || request.kind === 'blob');
    const digest = request.contentDigest ?? request.reference;
    if (!isTransfer || request.status >= 300 || digest === undefined) continue;
    counts[digest] = (counts[digest] ?? 0) + 1;
  }
  return counts;
}

/** Returns the `transfers` of a pull that fetched each of these once and nothing else. */
export function eachOnce(digests: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(digests.map((digest) => [digest, 1]));
}
