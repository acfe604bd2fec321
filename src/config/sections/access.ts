import { z } from 'zod';

/** `access`: who may pull. It is no `section`: without its one key it says nothing, which is a mistake. */
export const access = () =>
  z
    .strictObject({
      anonymous: z.enum(['pull']).describe('`pull`: whoever reaches Larder may pull everything it can pull.'),
    })
    .optional()
    .describe('Must be said where Larder listens beyond this machine and has credentials for an upstream.');
