import { CredentialError, credentialsOf, type CredentialSource } from './credentials.ts';
import { readSmallFile } from './read-small-file.ts';

/** Access tokens of Google and Azure are a few KiB. */
const MAX_BYTES = 64 * 1024;

/**
 * A password in a file, as secrets are mounted into containers. Read at each use, so that a rotated one counts
 * at once; the line break that editors leave at the end is not part of it.
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
