import { brotliDecompressSync, unzipSync } from 'node:zlib';
import { isJsonObject } from '../../oci/documents/json.ts';

/** The codes and the message in the body of a refusal. */
export interface Problem {
  /** Codes of the registry's error document, in upper case; none if the body is no such document. */
  readonly codes: readonly string[];
  /** Text for people: printable, short, and without any query string. */
  readonly message: string | undefined;
}

export const NO_PROBLEM: Problem = { codes: [], message: undefined };

/** Most bytes of an error document: its `detail` may describe everything that the registry looked at. */
export const MAX_PROBLEM_BYTES = 256 * 1024;

const MAX_ERRORS = 10;
const MAX_MESSAGE = 200;

/**
 * Reads the body of a refusal, decompressing it first: some servers compress their own pages although identity was
 * asked for.
 * @param encoding its Content-Encoding
 */
export function readProblem(body: Uint8Array, encoding: string | undefined): Problem {
  try {
    return parseProblem(Buffer.from(unpacked(body, encoding?.trim().toLowerCase())).toString());
  } catch {
    // It is not encoded as it says, or is larger than such a document may be.
    return NO_PROBLEM;
  }
}

function unpacked(body: Uint8Array, encoding: string | undefined): Uint8Array {
  const limit = { maxOutputLength: MAX_PROBLEM_BYTES };
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
    case 'deflate':
      return unzipSync(body, limit);
    case 'br':
      return brotliDecompressSync(body, limit);
    default:
      return body;
  }
}

/**
 * Reads the error document of the distribution spec ("Error Codes"). Its Content-Type is ignored, since some registries
 * send it as text. Other text gives a message and no codes; HTML gives neither.
 */
export function parseProblem(body: string): Problem {
  const errors = listOf(parseJson(body)).slice(0, MAX_ERRORS).filter(isJsonObject);
  const codes = errors.flatMap(({ code }) => (isCode(code) ? [code.toUpperCase()] : []));
  if (codes.length === 0) return { codes, message: plainMessage(body) };
  const message = errors.map(({ message }) => message).find((text) => typeof text === 'string');
  return { codes, message: message === undefined ? undefined : printable(message) };
}

/** Whether this is a code: the spec has capitals and underscores, ECR small letters. A number is a gateway's status. */
function isCode(code: unknown): code is string {
  return typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(code);
}

function parseJson(text: string): unknown {
  try {
    // Some frameworks write a byte order mark, which JSON does not allow.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function listOf(document: unknown): readonly unknown[] {
  if (!isJsonObject(document)) return [];
  const { errors } = document;
  return Array.isArray(errors) ? errors : [];
}

function plainMessage(body: string): string | undefined {
  const text = body.trim();
  return text === '' || /^[<{[]/.test(text) ? undefined : printable(text);
}

/** Makes a foreign text short and printable. It may hold a whole URL, whose query string may be a signature. */
function printable(text: string): string {
  const clean = text
    .slice(0, MAX_MESSAGE * 4)
    .replaceAll(/\?\S*=\S*/g, '?…')
    .replaceAll(/[^\P{C}]+/gu, ' ')
    .trim();
  return clean.length > MAX_MESSAGE ? `${clean.slice(0, MAX_MESSAGE - 1)}…` : clean;
}
