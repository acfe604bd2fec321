/** A Kubernetes service account. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** The client of a request, as far as its credentials prove who it is. */
export type Principal =
  /** A request without credentials. */
  | { readonly kind: 'anonymous' }
  /** A user of the htpasswd file. */
  | { readonly kind: 'user'; readonly name: string }
  /** The holder of a static token. */
  | { readonly kind: 'token'; readonly name: string }
  /** A subject for which an OpenID Connect issuer vouches. */
  | {
      readonly kind: 'oidc';
      /** The issuer's name in the configuration. */
      readonly issuer: string;
      /** The claim `sub`. */
      readonly subject: string;
      /** The groups that the issuer's claim names, each with the issuer's name before it: `github:platform`. */
      readonly groups: readonly string[];
      /** Set if the issuer is configured as one of service accounts. */
      readonly serviceAccount?: ServiceAccount | undefined;
    };

export const ANONYMOUS: Principal = { kind: 'anonymous' };

/** Returns the principal as rules and the log name it: `user:alice`, `serviceaccount:ci/builder`. */
export function formatPrincipal(principal: Principal): string {
  switch (principal.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'user':
    case 'token':
      return `${principal.kind}:${principal.name}`;
    case 'oidc': {
      const { serviceAccount, issuer, subject } = principal;
      if (serviceAccount === undefined) return `oidc:${issuer}:${subject}`;
      return `serviceaccount:${serviceAccount.namespace}/${serviceAccount.name}`;
    }
  }
}
