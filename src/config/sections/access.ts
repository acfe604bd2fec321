import { z } from 'zod';

/** `access`: which clients may pull. It is no `section`, since an `access` without its only key is a mistake. */
export const access = () =>
  z
    .strictObject({
      anonymous: z
        .enum(['pull'])
        .describe('`pull`: every client that reaches Larder may pull everything that Larder can pull.'),
    })
    .optional()
    .describe('Required if Larder listens beyond this machine and has credentials for an upstream.');
