import * as z from 'zod';
import { Count, Reference } from '../values.ts';

export const ImportRequest = z.strictObject({
  upload: z.string().min(1).max(64).describe('the id of the upload that holds the bundle'),
  as: Reference.optional().describe('the repository, or repository:tag, of images that have no full name'),
  isPartial: z
    .boolean()
    .optional()
    .describe('whether an index is imported without what the bundle leaves out'),
  isPinned: z.boolean().optional().describe('whether what is imported is pinned'),
});

export const ImportResult = z.object({
  images: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      leftOut: z
        .array(z.string())
        .describe('images of an index that were not in the bundle: their platforms, else their digests'),
      elsewhere: z
        .array(z.string())
        .describe('layers that by their type are in no registry, and were not in the bundle'),
    }),
  ),
  refused: z
    .array(z.object({ name: z.string(), digest: z.string(), problems: z.array(z.string()) }))
    .describe('images that were not imported, and what is missing or wrong'),
  blobs: Count.describe('blobs and manifests of the bundle'),
  added: Count.describe('how many of them were not stored before'),
});
