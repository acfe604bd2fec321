/** An account at an upstream. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token (distribution's OAuth 2): what `docker login` keeps as `identitytoken`. */
  | { readonly kind: 'identity-token'; readonly token: string };

/** The source of an upstream's credentials. It is asked at every use, so that a changed file or helper counts. */
export interface CredentialSource {
  /** @returns undefined for anonymous. @throws CredentialError if credentials are configured but cannot be read */
  get(signal?: AbortSignal): Promise<Credentials | undefined>;
  /** Notes that upstream refused the last credentials: `get` must not return remembered ones again. */
  invalidate(): void;
}

/** Credentials could not be read. The message names the source and never holds a secret. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}

/** The user name that stands for "the password is an identity token" (docker login's convention). */
const IDENTITY_TOKEN_USERNAME = '<token>';

/** Makes credentials from a user name and a secret as Docker's stores hold them. */
export function credentialsOf(username: string, secret: string): Credentials {
  return username === IDENTITY_TOKEN_USERNAME
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret };
}

/** Returns the account's part of the key under which its tokens are kept. Not a secret. */
export function accountOf(credentials: Credentials | undefined): string {
  if (credentials === undefined) return '';
  return credentials.kind === 'password' ? `user:${credentials.username}` : IDENTITY_TOKEN_USERNAME;
}

/** Returns the value of an Authorization header (RFC 7617). */
export function basicAuthorization(credentials: Credentials): string {
  const pair =
    credentials.kind === 'password'
      ? `${credentials.username}:${credentials.password}`
      : `${IDENTITY_TOKEN_USERNAME}:${credentials.token}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
