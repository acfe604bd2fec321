import { RegistryError, type ErrorCode } from '../../src/oci/error.ts';

/** The code of the RegistryError that `run` throws; undefined where it throws nothing. Any other error goes on. */
export function codeOf(run: () => unknown): ErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}
