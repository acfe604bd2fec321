import { z } from 'zod';
import { interval } from '../values/duration.ts';
import { imageName, platformName } from '../values/image.ts';
import { distinct } from '../values/list.ts';
import { versionRange } from '../values/version-range.ts';
import { count } from '../values/whole-number.ts';
import { sparseSection } from './section.ts';

const plan = () =>
  sparseSection({
    every: interval(60_000).describe(
      'How long after the beginning of a run the next one begins, give or take a tenth.',
    ),
    refs: distinct(imageName()).describe(
      'The images, as clients name them. Without a tag or a digest, `latest` is meant.',
    ),
    tags: sparseSection({
      semver: versionRange()
        .optional()
        .describe('A range of versions such as `>=1.2 <2`, `^1.2` or `1.x`. Without it, every version.'),
      latest: count(1).optional().describe('How many, the newest first. Without it, all of them.'),
    })
      .optional()
      .describe('The tags that are pulled of an image without a tag or digest, in place of `latest`.'),
    platforms: distinct(platformName())
      .prefault([])
      .describe('The platforms that are pulled of an image for several. Without it, all of them.'),
    referrers: z
      .boolean()
      .prefault(false)
      .describe('Whether the signatures, attestations and SBOMs of the images are pulled as well.'),
  }).describe('Images that are pulled again and again.');

/** `warm`: what a server pulls by itself, and when. */
export const warm = () =>
  z
    .array(plan())
    .readonly()
    .prefault([])
    .describe(
      'Images that a running server pulls by itself, whole, so that they are cached before a client asks. A run ' +
        'leaves the last pulls of an upstream to clients (`tags.quotaReserve`).',
    );
