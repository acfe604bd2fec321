import type { JWTPayload } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import type { IssuerConfig } from '../../../src/config/sections/access/issuers.ts';
import type { Verified } from '../../../src/access/verification/verifier.ts';
import { verifierOf } from '../../support/issuer-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startOidcIssuer } from '../../support/oidc-issuer.ts';
import { GITHUB_CLAIMS, GITLAB_CLAIMS, KUBERNETES_CLAIMS } from '../../support/real-claims.ts';

/** The claims that an issuer makes itself. */
const ISSUERS_OWN: ReadonlySet<string> = new Set(['iss', 'aud', 'iat', 'nbf', 'exp', 'jti']);

/** Verifies a token that a real issuer issues with such claims besides its own. */
async function verified({ sub, ...others }: JWTPayload, config: Partial<IssuerConfig>): Promise<Verified> {
  const claims = Object.fromEntries(Object.entries(others).filter(([name]) => !ISSUERS_OWN.has(name)));
  const issuer = await startOidcIssuer(sub);
  onTestFinished(() => issuer[Symbol.asyncDispose]());
  // The issuer has the system's clock.
  const clock = new ManualClock(Date.now());
  const { verifier } = verifierOf(issuer.issuer, config, { clock });
  return verifier.verify(await issuer.token(claims), 'client');
}

test("a real issuer's token names its client", async () => {
  const { identity, expiresAt } = await verified({}, {});
  expect(identity).toEqual({ principal: { kind: 'oidc', issuer: 'test', subject: 'job', groups: [] } });
  expect(expiresAt).toBeGreaterThan(Date.now());
});

test('it is refused where another audience is configured', async () => {
  await expect(verified({}, { audience: ['other.example.com'] })).rejects.toMatchObject({
    failure: 'wrong-credentials',
  });
});

test('a token with the claims of GitHub Actions is accepted for the owner that is configured', async () => {
  const { identity } = await verified(GITHUB_CLAIMS, {
    claims: { repository_owner: 'acme', ref: 'refs/heads/*' },
  });
  expect(identity.principal).toMatchObject({ subject: GITHUB_CLAIMS.sub });
  await expect(verified(GITHUB_CLAIMS, { claims: { repository_owner: 'other' } })).rejects.toMatchObject({
    failure: 'wrong-credentials',
  });
});

test('a token with the claims of GitLab brings its groups', async () => {
  const { identity } = await verified(GITLAB_CLAIMS, { groups: 'groups_direct' });
  expect(identity.principal).toMatchObject({ groups: ['test:acme/platform', 'test:acme/security'] });
});

test('a token with the claims of Kubernetes names a service account', async () => {
  const { identity } = await verified(KUBERNETES_CLAIMS, { serviceAccounts: true });
  expect(identity.principal).toMatchObject({ serviceAccount: { namespace: 'ci', name: 'builder' } });
});
