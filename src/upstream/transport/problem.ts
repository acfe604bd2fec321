import { brotliDecompressSync, unzipSync } from 'node:zlib';
import { isJsonObject } from '../../oci/json.ts';

/** What the body of a refusal says. */
export interface Problem {
  /** Codes of the registry's error document, upper case; none where the body is no such document. */
  readonly codes: readonly string[];
  /** For people: printable, short, and without any query string. */
  readonly message: string | undefined;
}

export const NO_PROBLEM: Problem = { codes: [], message: undefined };

/** Documents may describe in `detail` all that they looked at. */
export const MAX_PROBLEM_BYTES = 256 * 1024;

const MAX_ERRORS = 10;
const MAX_MESSAGE = 200;

/**
 * What the body of a refusal says, as it came. Some servers pack what they make themselves, whatever was asked for.
 * @param encoding its Content-Encoding
 */
export function readProblem(body: Uint8Array, encoding: string | undefined): Problem {
  try {
    return parseProblem(Buffer.from(unpacked(body, encoding?.trim().toLowerCase())).toString());
  } catch {
    // Not what it says that it is, or larger than a document is.
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
 * Reads the error document of the distribution spec ("Error Codes"). Its Content-Type is not asked for:
 * registries send it as text, too. Text that is no such document gives a message and no codes; HTML nothing.
 */
export function parseProblem(body: string): Problem {
  const errors = listOf(parseJson(body)).slice(0, MAX_ERRORS).filter(isJsonObject);
  const codes = errors.flatMap(({ code }) => (isCode(code) ? [code.toUpperCase()] : []));
  if (codes.length === 0) return { codes, message: plainMessage(body) };
  const message = errors.map(({ message }) => message).find((text) => typeof text === 'string');
  return { codes, message: message === undefined ? undefined : printable(message) };
}

/** The spec has capitals and underscores; ECR writes small letters. A number in quotes is a gateway's status. */
function isCode(code: unknown): code is string {
  return typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(code);
}

function parseJson(text: string): unknown {
  try {
    // Some frameworks write a byte order mark, which JSON does not know.
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

/** Query strings may be signatures, and a foreign text may hold a whole URL. */
function printable(text: string): string {
  const clean = text
    .slice(0, MAX_MESSAGE * 4)
    .replaceAll(/\?\S*=\S*/g, '?…')
    .replaceAll(/[^\P{C}]+/gu, ' ')
    .trim();
  return clean.length > MAX_MESSAGE ? `${clean.slice(0, MAX_MESSAGE - 1)}…` : clean;
}
