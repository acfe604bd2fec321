import * as z from 'zod';
import { Bytes, Digest } from './values.ts';

/** What opens an upload, or finds the one that was begun before. */
export const OpenUpload = z.strictObject({
  size: z.int().min(1).describe('bytes of the whole bundle'),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('64 hex digits that tell the bundle from others, such as the hash of its first and last bytes'),
});

export const UploadOffset = z.strictObject({
  offset: z.coerce.number().int().min(0).describe('where the bytes begin: the offset of the upload'),
});

export const Upload = z.object({
  id: z.string(),
  size: Bytes,
  offset: Bytes.describe('bytes that are here: the next ones begin there'),
});

export const BundleQuery = z.strictObject({
  identity: Digest.describe('`bundle` of the result of an export'),
});
