import { CredentialError, credentialsOf, type CredentialSource } from './credentials.ts';
import { readSmallFile } from './read-small-file.ts';

/** Most bytes of a password file: access tokens of Google and Azure have a few KiB. */
const MAX_BYTES = 64 * 1024;

/**
 * Reads a password from a file, as secrets are mounted into containers. It is read at each use, so that a rotated one
 * counts at once. The line break that editors leave at the end is not part of it.
 */
export function passwordFileSource(setting: {
  readonly username: string;
  readonly path: string;
}): CredentialSource {
  return {
    async get() {
      const password = (await readSmallFile(setting.path, MAX_BYTES)).replace(/\r?\n$/, '');
      if (password === '') throw new CredentialError(`${setting.path} is empty`);
      return credentialsOf(setting.username, password);
    },
    invalidate: () => undefined,
  };
}
