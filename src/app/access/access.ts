import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { NO_AUTHENTICATION, type Authentication, type Login } from '../../access/authentication.ts';
import { Authenticator } from '../../access/authenticator.ts';
import { BearerTokens, TOKEN_MS } from '../../access/bearer/bearer-tokens.ts';
import { SigningKeys } from '../../access/bearer/signing-keys.ts';
import { Gate } from '../../access/gate.ts';
import { isKnownPrincipal, type Accounts } from '../../access/known-principal.ts';
import type { Principal } from '../../access/principal.ts';
import { openTokens, tokensPath } from '../../access/tokens/open-tokens.ts';
import { NO_TOKENS } from '../../access/tokens/token-list.ts';
import { openUsers } from '../../access/users/open-users.ts';
import { NO_USERS } from '../../access/users/users.ts';
import type { SlowChecks } from '../../access/verification/slow-checks.ts';
import { ThreadChecks } from '../../access/verification/thread-checks.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import type { Events } from '../../events.ts';
import { asksForCredentials, rulesOf, type AccessSettings } from './access-rules.ts';
import { createIssuers } from './issuers.ts';

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
  readonly userAgent: string;
}

type Settings = AccessSettings & Pick<Config, 'proxies'>;

/**
 * Opens the files of access control, and makes its parts.
 * @throws Error if the file of users or that of static tokens cannot be used
 */
export async function openAccess(settings: Settings, parts: AccessParts): Promise<Access> {
  await using stack = new AsyncDisposableStack();
  const checks = stack.use(new ThreadChecks({ clock: parts.clock }));
  const isClosed = asksForCredentials(settings);
  const accounts = isClosed ? await openAccounts(settings, parts, stack) : NO_ACCOUNTS;
  const tokens = await openBearerTokens(settings, parts, { checks, accounts });
  const authentication = isClosed
    ? createAuthenticator(settings, parts, { checks, accounts, tokens, stack })
    : NO_AUTHENTICATION;
  const opened = stack.move();
  return {
    gate: new Gate(rulesOf(settings), authentication),
    login: authentication,
    tokens,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const NO_ACCOUNTS: Accounts = { users: { value: NO_USERS }, tokens: { value: NO_TOKENS } };

async function openAccounts(
  { access }: Settings,
  { directory, ...watching }: AccessParts,
  stack: AsyncDisposableStack,
): Promise<Accounts> {
  const users =
    access?.users === undefined ? NO_ACCOUNTS.users : stack.use(await openUsers(access.users, watching));
  return { users, tokens: stack.use(await openTokens(tokensPath(directory), watching)) };
}

interface Checking {
  readonly checks: SlowChecks;
  readonly accounts: Accounts;
}

async function openBearerTokens(
  { access }: Settings,
  { clock, events, directory }: AccessParts,
  { checks, accounts }: Checking,
): Promise<BearerTokens> {
  const path = join(directory, 'access', 'keys.json');
  const keys = await SigningKeys.open({ path, clock, events, newId: randomUUID, tokenMs: TOKEN_MS });
  // The issuer may have left the configuration since the token was issued.
  const isKnown = (principal: Principal, proof: string | undefined): boolean =>
    principal.kind === 'oidc'
      ? Object.hasOwn(access?.oidc ?? {}, principal.issuer)
      : isKnownPrincipal(principal, proof, accounts);
  return new BearerTokens({ keys, checks, clock, newId: randomUUID, isKnown });
}

function createAuthenticator(
  settings: Settings,
  { clock, events, userAgent }: AccessParts,
  { checks, accounts, tokens, stack }: Checking & { tokens: BearerTokens; stack: AsyncDisposableStack },
): Authentication & Login {
  const end = new AbortController();
  stack.defer(() => end.abort());
  const issuers = createIssuers(settings, { clock, events, checks, userAgent, ending: end.signal });
  const jwt = [tokens, ...issuers];
  return new Authenticator({ accounts, jwt, checks, clock, events, key: randomBytes(32) });
}
