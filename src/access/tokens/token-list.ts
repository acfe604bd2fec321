import { isJsonObject } from '../../oci/documents/json.ts';
import { isTokenName, type StaticToken } from './static-token.ts';

/** The static tokens, by their ids. */
export type TokenList = ReadonlyMap<string, StaticToken>;

export const NO_TOKENS: TokenList = new Map();

/**
 * Reads the file of tokens.
 * @throws Error that says what is wrong, and what to do
 */
export function parseTokens(path: string, text: string): TokenList {
  const document = parseJson(path, text);
  if (!isJsonObject(document) || document['version'] !== 1 || !Array.isArray(document['tokens'])) {
    throw damaged(`${path} is no list of tokens that this version of Larder can read`);
  }
  const tokens = document['tokens'].map((row: unknown, at) => {
    const token = readRow(row);
    if (token === undefined) throw damaged(`${path}: the token at position ${at + 1} is damaged`);
    return token;
  });
  return new Map(tokens.map((token) => [token.id, token]));
}

/** The inverse of `parseTokens`: times are written as people read them. */
export function formatTokens(tokens: TokenList): string {
  const rows = [...tokens.values()].map(({ id, name, sha256, createdAt, expiresAt }) => ({
    id,
    name,
    sha256,
    created: new Date(createdAt).toISOString(),
    ...(expiresAt !== undefined && { expires: new Date(expiresAt).toISOString() }),
  }));
  return `${JSON.stringify({ version: 1, tokens: rows }, undefined, 2)}\n`;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    throw damaged(`${path} is no JSON`);
  }
}

function damaged(message: string): Error {
  return new Error(`${message}: restore it, or move it away and make all tokens anew`);
}

function readRow(row: unknown): StaticToken | undefined {
  if (!isJsonObject(row)) return undefined;
  const { id, name, sha256, created, expires } = row;
  if (typeof id !== 'string' || !/^[0-9a-f]{12}$/.test(id)) return undefined;
  if (typeof name !== 'string' || !isTokenName(name)) return undefined;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  const createdAt = readTime(created);
  const expiresAt = expires === undefined ? undefined : readTime(expires);
  // A token whose end cannot be read must not be one without an end.
  if (createdAt === undefined || (expires !== undefined && expiresAt === undefined)) return undefined;
  return { id, name, sha256, createdAt, expiresAt };
}

function readTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
