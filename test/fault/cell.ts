import type { ErrorCode } from '../../src/oci/error.ts';

/** What is asked for while the fault lasts, and how much of it is cached. */
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

/** What came of one request while one fault lasted: a cell of the matrix. */
export interface Cell {
  readonly status: number;
  /** The error document's code; absent where the object itself was sent. */
  readonly code?: ErrorCode;
  /** The connection was cut before the announced end. */
  readonly isCut?: true;
  /** There was a Warning: what the cache had was served without upstream's word for it. */
  readonly isStale?: true;
  /** A part was sent with wrong bytes of upstream's in it: no part can be verified before the whole is here. */
  readonly isWrong?: true;
  /** Retry-After, seconds. */
  readonly retryAfter?: number;
  /** Upstream was asked so often, in all: token requests, redirects and what got lost on the way included. */
  readonly requests: number;
  /** What is cached of the object once everything has come to rest. */
  readonly cached: Cached;
  /** So long after the trouble is over the same question gets the right answer; absent: at once. */
  readonly rightAfterMs?: number;
  /** From the request (mid-fill: from the fault) to the end of the answer, by Larder's clock. */
  readonly tookMs: number;
}

/** `tag`: what the tag stands for, but not the manifest. */
export type Cached = 'all' | 'tag' | 'nothing';

type Details = Partial<Omit<Cell, 'requests'>>;

/** The object, whole and right. */
export function whole(requests: number, details: Details = {}): Cell {
  return { status: 200, requests, cached: 'all', tookMs: 0, ...details };
}

/** The range, whole and right. */
export function part(requests: number, details: Details = {}): Cell {
  return whole(requests, { status: 206, ...details });
}

/** What the cache had, with a Warning. */
export function stale(requests: number, details: Details = {}): Cell {
  return whole(requests, { isStale: true, ...details });
}

/** Right bytes, and then a cut connection. */
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

/** An error document. */
export function failed(status: keyof typeof CODES, requests: number, details: Details = {}): Cell {
  return { status, code: CODES[status], requests, cached: 'nothing', tookMs: 0, ...details };
}
