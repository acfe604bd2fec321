import type { ServiceAccount } from '../principal.ts';

/** A DNS label, as Kubernetes demands it of a namespace (RFC 1123 §2.1). */
const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';

/** `system:serviceaccount:NAMESPACE:NAME`. The name is a DNS subdomain: labels with dots between them. */
const SUBJECT = new RegExp(`^system:serviceaccount:(${LABEL}):(${LABEL}(?:\\.${LABEL})*)$`);

/** The lengths that Kubernetes allows. */
const MAX_NAMESPACE_LENGTH = 63;
const MAX_NAME_LENGTH = 253;

/**
 * Reads the service account that the subject of a Kubernetes token names; returns undefined if it names none
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens).
 */
export function parseServiceAccount(subject: string): ServiceAccount | undefined {
  const [, namespace, name] = SUBJECT.exec(subject) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  if (namespace.length > MAX_NAMESPACE_LENGTH || name.length > MAX_NAME_LENGTH) return undefined;
  return { namespace, name };
}
