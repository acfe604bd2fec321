import type { IncomingMessage } from 'node:http';
import { RegistryError } from '../../oci/error.ts';

/** Enough for a token of 16 KiB, which is the longest that is accepted, and the other fields. */
export const MAX_FORM_BYTES = 24 * 1024;

const FORM = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;

/**
 * Reads a form from the body of a request.
 * @throws RegistryError SIZE_INVALID (too long; the rest of the body is not read), NAME_INVALID (no form, or cut)
 */
export async function readFormBody(incoming: IncomingMessage): Promise<URLSearchParams> {
  const { 'content-type': type = '', 'content-length': length = '0' } = incoming.headers;
  if (!FORM.test(type)) throw invalid('expected a form: application/x-www-form-urlencoded');
  if (Number(length) > MAX_FORM_BYTES) throw tooLong();
  return new URLSearchParams(await readText(incoming));
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // To destroy the request would destroy its connection, and so the answer.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > MAX_FORM_BYTES) throw tooLong();
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw error instanceof RegistryError ? error : invalid('the form was cut', error);
  }
  return Buffer.concat(chunks).toString();
}

function tooLong(): RegistryError {
  return new RegistryError('SIZE_INVALID', `the form is longer than ${MAX_FORM_BYTES} bytes`);
}

function invalid(message: string, cause?: unknown): RegistryError {
  return new RegistryError('NAME_INVALID', message, { cause });
}
