import { RegistryError } from './error.ts';
import { quoted } from '../text/quoted.ts';

declare const repositoryNameBrand: unique symbol;

/** The name of a repository inside its registry, validated: `library/debian`, `acme/team/app`. */
export type RepositoryName = string & { readonly [repositoryNameBrand]: true };

/** Most characters: many clients limit `host/name` to 255 (distribution-spec, "Pulling manifests"). */
const MAX_LENGTH = 255;

const SEGMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** Whether `text` follows the `<name>` grammar of the distribution spec, and is at most 255 characters long. */
export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= MAX_LENGTH && text.split('/').every((segment) => SEGMENT.test(segment));
}

/** @throws RegistryError NAME_INVALID */
export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw new RegistryError(
    'NAME_INVALID',
    `${quoted(text)} is not a repository name: expected at most ${MAX_LENGTH} characters, segments of ` +
      'lower-case letters and digits joined by ".", "_", "__" or "-", separated by "/"',
  );
}
