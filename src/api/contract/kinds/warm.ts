import * as z from 'zod';
import { Bytes, Count, Reference } from '../values.ts';

/** Which images are pulled, and what of them. */
export const ImagesRequest = z.strictObject({
  references: z
    .array(Reference)
    .min(1)
    .max(10_000)
    .describe('images; without a tag or digest, `latest` is meant'),
  platforms: z
    .array(z.string().min(1).max(100))
    .min(1)
    .max(100)
    .optional()
    .describe('names such as linux/amd64; absent: all platforms'),
  referrers: z.boolean().optional().describe('whether signatures, attestations and SBOMs are pulled as well'),
  sparesQuota: z
    .boolean()
    .optional()
    .describe('whether the last pulls that an upstream allows are left to clients'),
});

export const WarmRequest = ImagesRequest.extend({
  tags: z
    .strictObject({
      semver: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('a range such as `>=1.2 <2`; absent: every version'),
      latest: z.int().positive().optional().describe('how many, the newest first; absent: all'),
    })
    .optional()
    .describe('which tags are pulled of references without a tag or digest; absent: `latest`'),
});

const WarmedImage = z.object({
  reference: z.string(),
  digest: z
    .string()
    .optional()
    .describe('what the reference stands for; absent: that could not be found out'),
  parts: Count.describe('its manifests and blobs that are in the cache now'),
  bytes: Bytes,
  failures: z
    .array(z.object({ digest: z.string().optional(), reason: z.string() }))
    .describe('the first failures'),
});

export const WarmResult = z.object({
  images: z.array(WarmedImage),
  failed: Count.describe('how many images are not whole'),
});
