import type { FetchDocument } from '../../access/oidc/fetch-document.ts';
import { IssuerError } from '../../access/oidc/issuer-error.ts';
import { IssuerKeys } from '../../access/oidc/issuer-keys.ts';
import { KeyFetcher } from '../../access/oidc/key-fetcher.ts';
import { OidcIssuer } from '../../access/oidc/oidc-issuer.ts';
import type { OidcSettings } from '../../access/oidc/settings.ts';
import type { SlowChecks } from '../../access/verification/slow-checks.ts';
import type { JwtVerifier } from '../../access/verification/verifier.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import type { IssuerConfig } from '../../config/sections/access/issuers.ts';
import type { Events } from '../../events.ts';
import type { ProxyFor } from '../../upstream/connections/proxy.ts';
import { readSmallFile } from '../../upstream/credentials/read-small-file.ts';
import { certificateFile } from '../certificate-file.ts';
import { documentFetcher } from './fetch-document.ts';
import { proxyChoice } from '../upstreams.ts';

export interface IssuerParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly checks: Pick<SlowChecks, 'checkJwt'>;
  readonly userAgent: string;
  /** Ends the fetches that are under way. */
  readonly ending: AbortSignal;
}

/** Most bytes of a bearer token. */
const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * Makes the verifiers of the configured issuers. They fetch nothing before the first token. The environment's proxies
 * apply to their hosts, as to those of upstreams.
 */
export function createIssuers(
  { access, proxies }: Pick<Config, 'access' | 'proxies'>,
  parts: IssuerParts,
): readonly JwtVerifier[] {
  return Object.entries(access?.oidc ?? {}).map(([name, entry]) => {
    const proxyFor = proxyChoice(undefined, proxies, { name }, parts.clock);
    return createIssuer({ name, ...entry }, { ...parts, proxyFor });
  });
}

function createIssuer(
  { ca, tokenFile, ...settings }: IssuerConfig & OidcSettings,
  { clock, events, checks, userAgent, ending, proxyFor }: IssuerParts & { readonly proxyFor: ProxyFor },
): JwtVerifier {
  const certificates = ca === undefined ? undefined : certificateFile(ca);
  const fetch: FetchDocument = documentFetcher({ userAgent, ca: certificates, proxyFor });
  const readToken = tokenFile === undefined ? undefined : () => readBearerToken(tokenFile);
  const fetcher = new KeyFetcher({ settings, fetch, readToken, clock, ending });
  const onChange = (error?: unknown): void => {
    const state = error === undefined ? ({ state: 'ok' } as const) : ({ state: 'failing', error } as const);
    events.emit({ kind: 'issuer-changed', issuer: settings.name, ...state });
  };
  const keys = new IssuerKeys({ fetch: () => fetcher.fetch(), clock, onChange });
  return new OidcIssuer({ settings, keys, checks, clock });
}

/** @throws CredentialError if the file cannot be read, IssuerError if it is empty */
async function readBearerToken(path: string): Promise<string> {
  const token = (await readSmallFile(path, MAX_TOKEN_BYTES)).trim();
  if (token === '') throw new IssuerError(`${path} is empty`);
  return token;
}
