import * as z from 'zod';
import type { Digest as DigestValue } from '../../oci/digest.ts';

/** What operators type to name content: a repository, a tag, a digest. */
export const Reference = z
  .string()
  .min(1)
  .max(1024)
  .describe('a repository, a tag or a digest: debian, ghcr.io/acme/app:1, debian@sha256:…, sha256:…');

export const Count = z.int().nonnegative();
export const Bytes = z.int().nonnegative().describe('bytes');
export const Time = z.iso.datetime().describe('a time in UTC');

/** A digest in a request. */
export const Digest = z
  .string()
  .regex(/^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/)
  .transform((text) => text as DigestValue);
