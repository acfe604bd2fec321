import type { RegistryRequest } from './fake-registry-path.ts';
import { challenged, json, registryError, type Incoming, type Reply } from './scripted-reply.ts';

interface Account {
  readonly username: string;
  readonly password: string;
}

/** The authentication of a fake registry. Without an account, a bearer registry gives tokens to all clients. */
export type AuthOptions =
  | ({ readonly kind: 'basic' } & Account)
  | {
      readonly kind: 'bearer';
      readonly account?: Account;
      /** Lifetime of a token, seconds. Absent: the token response does not say. */
      readonly expiresIn?: number;
    };

/** The token endpoint and the access check of a fake registry. */
export class FakeRegistryAuth {
  readonly #options: AuthOptions | undefined;
  /** The scopes that each token grants. */
  readonly #tokens = new Map<string, readonly string[]>();
  #issued = 0;

  constructor(options: AuthOptions | undefined) {
    this.#options = options;
  }

  expireTokens(): void {
    this.#tokens.clear();
  }

  /** Checks a request. @returns the refusal, or undefined if the request may pass */
  answer(incoming: Incoming, request: RegistryRequest, url: URL): Reply | undefined {
    const options = this.#options;
    if (options === undefined || request.kind === 'storage') return undefined;
    if (options.kind === 'basic') {
      const passes = incoming.headers.authorization === basic(options);
      return passes ? undefined : challenged('Basic realm="fake"');
    }
    if (request.kind === 'token') return this.#issue(incoming, options);
    return this.#admit(incoming, request, url);
  }

  #issue(incoming: Incoming, options: AuthOptions & { kind: 'bearer' }): Reply {
    const { authorization } = incoming.headers;
    const { account, expiresIn } = options;
    const isKnown = account !== undefined && authorization === basic(account);
    if (authorization !== undefined && !isKnown) return registryError(401, 'UNAUTHORIZED');
    this.#issued += 1;
    const token = `token-${this.#issued}`;
    // As Docker Hub does: every client gets a token, but an unknown one gets no grants.
    const grants = account === undefined || isKnown ? incoming.query.getAll('scope') : [];
    this.#tokens.set(token, grants);
    return json({ token, ...(expiresIn !== undefined && { expires_in: expiresIn }) });
  }

  #admit(incoming: Incoming, request: RegistryRequest, url: URL): Reply | undefined {
    const scope = request.repository === undefined ? undefined : `repository:${request.repository}:pull`;
    const token = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1];
    const grants = token === undefined ? undefined : this.#tokens.get(token);
    if (grants !== undefined && (scope === undefined || grants.includes(scope))) return undefined;
    const realm = new URL('/token', url).href;
    const scopePart = scope === undefined ? '' : `,scope="${scope}"`;
    const error = token === undefined ? '' : `,error="${grants ? 'insufficient_scope' : 'invalid_token'}"`;
    return challenged(`Bearer realm="${realm}",service="fake"${scopePart}${error}`);
  }
}

function basic({ username, password }: Account): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
