/**
 * Where an upstream's credentials come from. `upstream/auth` turns this into a secret at use, so that a
 * changed file is seen. Paths are absolute.
 */
export type CredentialsConfig =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'password-file'; readonly username: string; readonly path: string }
  /** A refresh token, as `docker login` stores it as `identitytoken`. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Docker's config.json: `auths`, `credsStore`, `credHelpers`. */
  | { readonly kind: 'docker-config'; readonly path: string }
  /** `docker-credential-NAME`, looked for in PATH, or the absolute path of such a program. */
  | { readonly kind: 'helper'; readonly program: string };
