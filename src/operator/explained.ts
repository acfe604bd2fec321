import { IndexError } from '../index/error.ts';
import { StoreError } from '../store/error.ts';
import { OperatorError } from './error.ts';

/**
 * Passes the messages of the store's and the index's errors on: they tell an operator what has failed.
 * @throws OperatorError; what else `work` throws
 */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof IndexError)) throw error;
    throw new OperatorError('failed', error.message, { cause: error });
  }
}
