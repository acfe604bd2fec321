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
