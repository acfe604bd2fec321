import { z } from 'zod';

const repository = z
  .string()
  .describe('The repository with its registry, such as `docker.io/library/alpine`.');

/** The answer of `larder tags`. */
export const TagsAnswer = z.object({
  repository,
  tags: z
    .array(z.string())
    .describe("The tags in the registry's order; by version, newest first, if a range was given."),
});

/** The answer of `larder tags --count`. */
export const TagCountAnswer = z.object({ repository, count: z.int().nonnegative() });

/** The answer of `larder catalog`. */
export const CatalogAnswer = z.object({ registry: z.string(), repositories: z.array(z.string()) });

/** The answer of `larder lock`. */
export const LockAnswer = z.object({ output: z.string(), images: z.int().nonnegative() });

/** The answer of `larder lock --check`. */
export const LockCheckAnswer = z.object({
  images: z.array(
    z.object({
      ref: z.string().describe('The image with its tag and the locked digest.'),
      state: z.enum(['same', 'moved', 'gone', 'unlocked', 'unknown']),
      now: z.string().optional().describe('The digest that the tag stands for now, if it has moved.'),
      reason: z.string().optional().describe('Why nothing is known.'),
    }),
  ),
});

/** The answer of `larder latest`. */
export const LatestAnswer = z.object({
  repository,
  tag: z.string(),
  series: z
    .string()
    .optional()
    .describe('What the tag has in common with those it was compared with: `*-alpine`.'),
  created: z.string().optional().describe('With `--by created`: when the image was made, as it says itself.'),
});

export type LatestAnswer = z.infer<typeof LatestAnswer>;
