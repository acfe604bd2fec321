import { isJsonObject } from '../oci/json.ts';

/** What the body of a refusal says. */
export interface Problem {
  /** Codes of the registry's error document, upper case; none where the body is no such document. */
  readonly codes: readonly string[];
  /** For people: printable, short, and without any query string. */
  readonly message: string | undefined;
}

export const NO_PROBLEM: Problem = { codes: [], message: undefined };

const MAX_ERRORS = 10;
const MAX_MESSAGE = 200;

/**
 * Reads the error document of the distribution spec ("Error Codes"). Its Content-Type is not asked for:
 * registries send it as text, too. Text that is no such document gives a message and no codes; HTML nothing.
 */
export function parseProblem(body: string): Problem {
  const errors = listOf(parseJson(body)).slice(0, MAX_ERRORS).filter(isJsonObject);
  const codes = errors.flatMap(({ code }) => (typeof code === 'string' ? [code.toUpperCase()] : []));
  if (codes.length === 0) return { codes, message: plainMessage(body) };
  const message = errors.map(({ message }) => message).find((text) => typeof text === 'string');
  return { codes, message: message === undefined ? undefined : printable(message) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
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
