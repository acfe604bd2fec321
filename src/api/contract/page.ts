import * as z from 'zod';

const MAX_PAGE = 1000;

/** Which part of a list is asked for. */
export const PageQuery = z.strictObject({
  after: z.string().optional().describe('`next` of the page before; absent: the first page'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(MAX_PAGE)
    .describe('the most that the page has'),
});

/** Where the next page begins. Absent: this one is the last. */
export const next = z.string().optional().describe('`after` of the next page; absent: this is the last one');
