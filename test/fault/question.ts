import { digestOf } from '../../src/oci/digest.ts';
import type { RequestOptions } from '../support/http-get.ts';
import type { Column } from './cell.ts';
import { LAYER, type World } from './world.ts';

const RANGE = { start: 100_000, end: 900_000 };

export const LAYER_DIGEST = digestOf(LAYER);
export const TAG_PATH = '/v2/acme/app/manifests/latest';
export const BLOB_PATH = `/v2/acme/app/blobs/${LAYER_DIGEST}`;

/** What a column asks for, and what the right answer is. */
export interface Question {
  readonly path: string;
  readonly asked?: RequestOptions;
  readonly right: Uint8Array;
  /** The bytes of the part that the client asks for; absent if it asks for the whole. */
  readonly rightPart?: Uint8Array;
  /** Bytes after which upstream pauses until the client has got all that it can get of them; absent: no pause. */
  readonly pausesAt?: number;
}

export function questionOf(column: Column, { image }: World): Question {
  switch (column) {
    case 'cold':
    case 'stale':
      return { path: TAG_PATH, right: image.bytes };
    case 'manifest':
      return { path: `/v2/acme/app/manifests/${image.digest}`, right: image.bytes };
    case 'blob':
    case 'follower':
      return { path: BLOB_PATH, right: LAYER };
    case 'range': {
      const { start, end } = RANGE;
      const headers = { range: `bytes=${start}-${end - 1}` };
      const rightPart = LAYER.subarray(start, end);
      return { path: BLOB_PATH, asked: { headers }, right: LAYER, rightPart, pausesAt: end };
    }
  }
}
