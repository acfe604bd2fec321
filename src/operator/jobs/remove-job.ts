import { OperatorError } from '../error.ts';
import type { Operator } from '../operator.ts';
import type { Removed } from '../remove.ts';
import type { JobWork } from './job-work.ts';

export interface RemoveRequest {
  readonly references: readonly string[];
}

type RemovedReference =
  | ({ readonly reference: string } & Removed)
  | { readonly reference: string; readonly error: { readonly code: string; readonly message: string } };

export interface RemoveResult {
  /** What came of each reference, in their order. */
  readonly removed: readonly RemovedReference[];
}

/** Returns the work that deletes from the cache. A reference that cannot be deleted does not stop the work on the others. */
export function removeJob(operator: Pick<Operator, 'remove'>): JobWork<RemoveRequest, RemoveResult> {
  return async ({ references }, { signal, report }) => {
    const removed: RemovedReference[] = [];
    const total = references.length;
    for (const reference of references) {
      signal.throwIfAborted();
      report({ done: removed.length, total, unit: 'items', note: reference });
      removed.push({ reference, ...(await attempt(operator, reference)) });
    }
    report({ done: total, total, unit: 'items' });
    return { removed };
  };
}

async function attempt(
  operator: Pick<Operator, 'remove'>,
  reference: string,
): Promise<Removed | { readonly error: { readonly code: string; readonly message: string } }> {
  try {
    return await operator.remove(reference);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}
