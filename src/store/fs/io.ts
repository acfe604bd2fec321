import { StoreError } from '../error.ts';

/**
 * Does one operation on the file system.
 * @param operation for the message: "cannot <operation>: ENOSPC".
 * @throws StoreError and nothing else.
 */
export async function attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StoreError ? error : new StoreError(operation, error);
  }
}

/** Like `attempt`, but resolves with undefined if the file does not exist. */
export async function attemptUnlessAbsent<T>(
  operation: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new StoreError(operation, error);
  }
}

/** Whether the error has this errno name. */
export function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === code;
}
