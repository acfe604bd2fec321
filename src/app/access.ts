import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { NO_AUTHENTICATION, type Login } from '../access/authentication.ts';
import { BearerTokens, TOKEN_MS } from '../access/bearer/bearer-tokens.ts';
import { SigningKeys } from '../access/bearer/signing-keys.ts';
import { Gate } from '../access/gate.ts';
import { ThreadChecks } from '../access/verification/thread-checks.ts';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { rulesOf, type AccessSettings } from './access-rules.ts';

/** Access control, as the configuration wants it. */
export interface Access extends AsyncDisposable {
  readonly gate: Gate;
  readonly login: Login;
  readonly tokens: BearerTokens;
}

export interface AccessParts {
  readonly clock: Clock;
  readonly events: Events;
  /** The cache directory, which the caller owns. */
  readonly directory: string;
}

/** Opens the files of access control in the cache directory, and makes its parts. */
export async function openAccess(
  settings: AccessSettings,
  { clock, events, directory }: AccessParts,
): Promise<Access> {
  const checks = new ThreadChecks({ clock });
  const keys = await SigningKeys.open({
    path: join(directory, 'access', 'keys.json'),
    clock,
    events,
    newId: randomUUID,
    tokenMs: TOKEN_MS,
  });
  const tokens = new BearerTokens({ keys, checks, clock, newId: randomUUID, isKnown: () => true });
  return {
    gate: new Gate(rulesOf(settings), NO_AUTHENTICATION),
    login: NO_AUTHENTICATION,
    tokens,
    [Symbol.asyncDispose]: () => checks.close(),
  };
}
