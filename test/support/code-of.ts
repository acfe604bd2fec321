import { RegistryError, type ErrorCode } from '../../src/oci/error.ts';

/** Returns the code of the RegistryError that `run` throws; undefined if it throws nothing. Rethrows other errors. */
export function codeOf(run: () => unknown): ErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}
