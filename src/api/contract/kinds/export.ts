import * as z from 'zod';
import { Bytes, Count, Digest } from '../values.ts';
import { ImagesRequest } from './warm.ts';

export const ExportRequest = ImagesRequest.extend({
  known: z
    .record(z.string().min(1).max(1024), z.array(Digest).max(1_000_000))
    .optional()
    .describe('what the other side has, by registry/repository: it is left out'),
});

export const ExportResult = z.object({
  bundle: z.string().describe('the identity of the bundle: the same only if all its bytes are the same'),
  bytes: Bytes,
  heldUntil: z.int().describe('until when its blobs are kept from eviction; milliseconds since the epoch'),
  images: z.array(
    z.object({
      reference: z.string(),
      digest: z.string(),
      parts: Count.describe('its manifests and blobs, with those that the other side has'),
      bytes: Bytes,
    }),
  ),
});
