import type { Clock } from '../../clock.ts';
import { changeFile, type Pause } from '../files/change-file.ts';
import { makeToken, type StaticToken } from './static-token.ts';
import { formatTokens, NO_TOKENS, parseTokens, type TokenList } from './token-list.ts';

export interface TokenParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly pause: Pause;
  /** Returns random bytes. */
  readonly random: (bytes: number) => Buffer;
}

/**
 * Adds a static token to the file.
 * @param expiresInMs how long it is valid; undefined: until it is revoked
 * @returns its row, and the text that its holder presents, which is nowhere else
 * @throws Error if the file is damaged or cannot be changed
 */
export async function createToken(
  path: string,
  { name, expiresInMs }: { readonly name: string; readonly expiresInMs: number | undefined },
  { clock, pause, random }: TokenParts,
): Promise<ReturnType<typeof makeToken>> {
  const now = clock.now();
  const made = makeToken({ name, now, expiresAt: expiresInMs && now + expiresInMs }, random);
  await changeFile(path, pause, (text) =>
    formatTokens(new Map([...read(path, text), [made.token.id, made.token]])),
  );
  return made;
}

/**
 * Removes the token of an id, or all tokens of a name.
 * @returns what was removed
 * @throws Error if the file is damaged or cannot be changed
 */
export async function revokeTokens(
  path: string,
  nameOrId: string,
  pause: Pause,
): Promise<readonly StaticToken[]> {
  let revoked: readonly StaticToken[] = [];
  await changeFile(path, pause, (text) => {
    const tokens = read(path, text);
    const ofId = tokens.get(nameOrId);
    revoked = ofId === undefined ? [...tokens.values()].filter(({ name }) => name === nameOrId) : [ofId];
    const rest = [...tokens].filter(([, token]) => !revoked.includes(token));
    return revoked.length === 0 ? undefined : formatTokens(new Map(rest));
  });
  return revoked;
}

function read(path: string, text: string | undefined): TokenList {
  return text === undefined ? NO_TOKENS : parseTokens(path, text);
}
