import { z } from 'zod';

/** What is known of an image that a file or a command line names. */
export const OutdatedImage = z.object({
  image: z.string().describe('The reference in full; if that cannot be told, the text that stands there.'),
  places: z
    .array(z.object({ file: z.string(), line: z.int().positive() }))
    .describe('Where it stands; none if it was named on the command line.'),
  state: z
    .enum(['current', 'outdated', 'unknown'])
    .describe('`unknown` if the file leaves the image open, or its registry does not answer.'),
  digest: z.string().optional().describe('The digest of its tag now.'),
  newest: z.string().optional().describe('The newest tag of the same kind, if that is newer.'),
  reasons: z.array(z.string()).describe('Why it is outdated or unknown.'),
});

export type OutdatedImage = z.infer<typeof OutdatedImage>;

/** The answer of `larder outdated`. */
export const OutdatedAnswer = z.object({
  images: z.array(OutdatedImage),
  notes: z
    .array(z.object({ file: z.string(), line: z.int().positive(), message: z.string() }))
    .describe('What was left out of the files, such as a service that is built.'),
});

export type OutdatedAnswer = z.infer<typeof OutdatedAnswer>;
