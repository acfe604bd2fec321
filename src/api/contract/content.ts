import * as z from 'zod';
import { next } from './page.ts';
import { Bytes, Count, Time } from './values.ts';

export const CachedRepository = z.object({
  repository: z.string().describe('registry/repository'),
  tags: Count,
  blobs: Count,
  bytes: Bytes,
  pins: Count.describe('how many of its tags are pinned'),
  lastUse: Time.nullable(),
});

export const CachedTag = z.object({
  tag: z.string(),
  digest: z.string(),
  parts: Count.describe(
    'known manifests and blobs of its image; of an index, those of the platforms that were pulled',
  ),
  blobs: Count.describe('how many of the parts are stored'),
  bytes: Bytes,
  isPinned: z.boolean(),
  lastUse: Time.nullable(),
  checked: Time.describe('when upstream last confirmed the digest'),
});

export const PinnedName = z.object({
  name: z.string().describe('a digest, or registry/repository:tag'),
  digest: z.string().nullable().describe('what the pin keeps now; null: nothing is known of the tag'),
  pinnedAt: Time,
});

export const Repositories = z.object({ repositories: z.array(CachedRepository), next });
export const Tags = z.object({ tags: z.array(CachedTag), next });
export const Pins = z.object({ pins: z.array(PinnedName), next });

/** The names of the pins that were made or ended. */
export const PinNames = z.object({ pins: z.array(z.string()) });

export const Stats = z.object({
  blobs: Count,
  bytes: Bytes,
  maxBytes: Bytes.nullable().describe('the cap of the cache; null: there is none'),
  quarantine: z.object({ blobs: Count, bytes: Bytes, digests: z.array(z.string()).readonly() }),
  pins: Count,
  upstreams: z.array(
    z.object({ upstream: z.string(), repositories: Count, tags: Count, blobs: Count, bytes: Bytes }),
  ),
});

export type CachedRepository = z.infer<typeof CachedRepository>;
export type CachedTag = z.infer<typeof CachedTag>;
export type PinnedName = z.infer<typeof PinnedName>;
export type Stats = z.infer<typeof Stats>;
