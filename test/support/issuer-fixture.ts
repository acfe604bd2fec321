import { onTestFinished } from 'vitest';
import { createIssuers } from '../../src/app/access/issuers.ts';
import type { JwtVerifier } from '../../src/access/verification/verifier.ts';
import type { Clock } from '../../src/clock.ts';
import type { IssuerConfig } from '../../src/config/sections/access/issuers.ts';
import type { ProxyEnvironment } from '../../src/config/source/proxy-environment.ts';
import { createEvents, type LarderEvent } from '../../src/events.ts';
import { inlineChecks } from './inline-checks.ts';
import { ManualClock } from './manual-clock.ts';
import { AUDIENCE, startScriptedIssuer, type ScriptedIssuer } from './scripted-issuer.ts';
import type { ServerOptions } from './scripted-server.ts';

const NO_PROXIES: ProxyEnvironment = { http: undefined, https: undefined, noProxy: [] };

const DEFAULTS: Omit<IssuerConfig, 'issuer'> = {
  audience: [AUDIENCE],
  claims: {},
  groups: undefined,
  serviceAccounts: false,
  jwksUrl: undefined,
  ca: undefined,
  tokenFile: undefined,
};

/** The verifier of an issuer named `test`, made as the server makes it. */
export function verifierOf(
  issuer: string,
  config: Partial<IssuerConfig> = {},
  { clock, proxies = NO_PROXIES }: { readonly clock: Clock; readonly proxies?: ProxyEnvironment },
): { readonly verifier: JwtVerifier; readonly told: readonly LarderEvent[] } {
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const entry = { ...DEFAULTS, issuer, ...config };
  const [verifier] = createIssuers(
    {
      access: { oidc: { test: entry }, groups: {}, rules: [], anonymous: undefined, users: undefined },
      proxies,
    },
    { clock, events, checks: inlineChecks, userAgent: 'larder/test', ending: ending.signal },
  );
  if (verifier === undefined) throw new Error('there is one issuer');
  return { verifier, told };
}

export interface IssuerFixture {
  readonly clock: ManualClock;
  readonly issuer: ScriptedIssuer;
  readonly told: readonly LarderEvent[];
  /** Verifies a token, as if a client had sent it. */
  readonly verify: (token: string) => ReturnType<JwtVerifier['verify']>;
}

/** Starts a scripted issuer and makes its verifier. */
export async function issuerFixture(
  config: Partial<IssuerConfig> = {},
  options: ServerOptions = {},
): Promise<IssuerFixture> {
  const clock = new ManualClock();
  const issuer = await startScriptedIssuer(() => clock.now(), options);
  onTestFinished(() => issuer[Symbol.asyncDispose]());
  const { verifier, told } = verifierOf(issuer.issuer, config, { clock });
  return { clock, issuer, told, verify: (token) => verifier.verify(token, 'client') };
}
