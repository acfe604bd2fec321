import { join } from 'node:path';
import type { WatchedFile } from '../files/watched-file.ts';
import { watchSource, type WatchParts } from '../files/watch-source.ts';
import { NO_TOKENS, parseTokens, type TokenList } from './token-list.ts';

/** Returns where the static tokens are. */
export function tokensPath(cacheDirectory: string): string {
  return join(cacheDirectory, 'access', 'tokens.json');
}

/**
 * Opens the file of static tokens, which need not be there. It is read again within about a second when it changes.
 * @throws Error if it is damaged
 */
export function openTokens(path: string, parts: WatchParts): Promise<WatchedFile<TokenList>> {
  const source = { source: 'tokens', path, parse: parseTokens, missing: NO_TOKENS, entries } as const;
  return watchSource<TokenList>(source, parts);
}

function entries(tokens: TokenList): ReadonlyMap<string, string> {
  return new Map(
    [...tokens.values()].map(({ name, id, sha256, expiresAt }) => [
      `${name} (${id})`,
      `${sha256} ${expiresAt ?? ''}`,
    ]),
  );
}
