import type { ErrorCode } from '../../src/oci/error.ts';

/** The columns: what a client asks for while the fault lasts, and how much of it is cached. */
export const COLUMNS = {
  cold: 'tag, cold',
  stale: 'tag, stale',
  manifest: 'manifest, cold',
  blob: 'blob, cold',
  follower: 'blob, mid-fill',
  range: 'range, cold',
} as const;

export type Column = keyof typeof COLUMNS;

export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly Column[];

/** A cell of the matrix: the result of one request during one fault. */
export interface Cell {
  readonly status: number;
  /** The code in the error document; absent if the object itself was sent. */
  readonly code?: ErrorCode;
  /** Whether the connection was cut before the announced end. */
  readonly isCut?: true;
  /** Whether the answer had a Warning: it came from the cache, and upstream had not confirmed it. */
  readonly isStale?: true;
  /** Whether the part contains wrong bytes from upstream: a part cannot be verified before the whole is here. */
  readonly isWrong?: true;
  /** Retry-After, seconds. */
  readonly retryAfter?: number;
  /** Number of requests to upstream, including token requests, redirects and requests that got lost. */
  readonly requests: number;
  /** What is cached of the object once all fills have ended. */
  readonly cached: Cached;
  /** Milliseconds from the end of the fault until the same question gets the right answer; absent: at once. */
  readonly rightAfterMs?: number;
  /** Milliseconds from the request (mid-fill: from the fault) to the end of the answer, by Larder's clock. */
  readonly tookMs: number;
}

/** `tag`: the cache knows which digest the tag stands for, but does not have the manifest. */
export type Cached = 'all' | 'tag' | 'nothing';

type Details = Partial<Omit<Cell, 'requests'>>;

/** Makes the cell of an answer with the object, whole and right. */
export function whole(requests: number, details: Details = {}): Cell {
  return { status: 200, requests, cached: 'all', tookMs: 0, ...details };
}

/** Makes the cell of an answer with the range, whole and right. */
export function part(requests: number, details: Details = {}): Cell {
  return whole(requests, { status: 206, ...details });
}

/** Makes the cell of an answer from the cache, with a Warning. */
export function stale(requests: number, details: Details = {}): Cell {
  return whole(requests, { isStale: true, ...details });
}

/** Makes the cell of an answer whose bytes are right up to a cut of the connection. */
export function cut(requests: number, details: Details = {}): Cell {
  return { status: 200, isCut: true, requests, cached: 'nothing', tookMs: 0, ...details };
}

const CODES = {
  403: 'DENIED',
  404: 'NAME_UNKNOWN',
  429: 'TOOMANYREQUESTS',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
} as const satisfies Record<number, ErrorCode>;

/** Makes the cell of an answer with an error document. */
export function failed(status: keyof typeof CODES, requests: number, details: Details = {}): Cell {
  return { status, code: CODES[status], requests, cached: 'nothing', tookMs: 0, ...details };
}
