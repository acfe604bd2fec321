import * as z from 'zod';
import { Bytes, Count, Reference } from '../values.ts';

export const RemoveRequest = z.strictObject({ references: z.array(Reference).min(1).max(1000) });

const Removed = z.object({
  reference: z.string(),
  tags: Count,
  blobs: Count.describe('blobs deleted from the disk; those that other repositories have stay there'),
  bytes: Bytes,
});

const NotRemoved = z.object({
  reference: z.string(),
  error: z.object({ code: z.string(), message: z.string() }),
});

export const RemoveResult = z.object({ removed: z.array(z.union([Removed, NotRemoved])) });
