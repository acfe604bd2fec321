import { RegistryError } from './error.ts';
import { quoted } from '../text/quoted.ts';

declare const tagBrand: unique symbol;

/** A tag, validated; case-sensitive. */
export type Tag = string & { readonly [tagBrand]: true };

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Whether `text` follows the tag grammar of the distribution spec. */
export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

/** @throws RegistryError TAG_INVALID */
export function parseTag(text: string): Tag {
  if (isTag(text)) return text;
  throw new RegistryError(
    'TAG_INVALID',
    `${quoted(text)} is not a tag: expected 1 to 128 letters, digits, "_", "." or "-", the first not "." or "-"`,
  );
}
