import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../../../src/access/oidc/claims.ts';
import { rulesOf } from '../../../src/app/access/access-rules.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { documented } from '../../support/e2e/documented.ts';
import { GITHUB_CLAIMS, GITLAB_CLAIMS, KUBERNETES_CLAIMS } from '../../support/real-claims.ts';
import { createCertificateAuthority } from '../../support/tls.ts';

const PAGE = 'docs/access-oidc.md';
const CERTIFICATE = createCertificateAuthority().certificate;

/** Loads the configuration that a section of the page shows. */
function shown(heading: string): Config {
  return loadConfig('config.yaml', {
    env: {},
    cwd: '/etc/larder',
    home: '/root',
    readText: (path) => {
      if (path.endsWith('config.yaml')) return documented(PAGE, heading).text;
      return path.endsWith('.crt') ? CERTIFICATE : 'secret';
    },
    isProgram: () => true,
  });
}

/** Returns the repositories that a token with such claims may pull. */
function pulled(
  config: Config,
  name: string,
  claims: JWTPayload,
  repositories: readonly string[],
): readonly string[] {
  const issuer = config.access?.oidc[name];
  if (issuer === undefined) throw new Error(`the page has no issuer ${name}`);
  const claimed = readClaims(claims, { name, ...issuer });
  if ('problem' in claimed) return [];
  const rules = rulesOf(config);
  return repositories.filter(
    (repository) => rules.decide(claimed.principal, 'pull', { registry: 'ghcr.io', repository }).isAllowed,
  );
}

const REPOSITORIES = ['acme/app', 'acme/base/debian', 'acme/other', 'other/app'];

describe('the configuration that the page shows', () => {
  it('lets jobs of GitHub Actions pull by their repository and branch', () => {
    const config = shown('GitHub Actions');
    const pull = (claims: object) => pulled(config, 'github', { ...GITHUB_CLAIMS, ...claims }, REPOSITORIES);
    expect(pull({})).toEqual(['acme/app', 'acme/base/debian']);
    expect(pull({ sub: 'repo:acme@65/app@74:pull_request' })).toEqual(['acme/base/debian']);
    expect(pull({ repository_owner_id: '650' })).toEqual([]);
  });

  it('lets jobs of GitLab pull by their project, and by the groups of their users', () => {
    const config = shown('GitLab CI');
    const pull = (claims: object) => pulled(config, 'gitlab', { ...GITLAB_CLAIMS, ...claims }, REPOSITORIES);
    expect(pull({})).toEqual(['acme/app', 'acme/base/debian', 'acme/other']);
    expect(pull({ groups_direct: ['other'] })).toEqual(['acme/base/debian']);
    expect(pull({ ref_protected: 'false' })).toEqual([]);
    expect(pull({ namespace_id: '720' })).toEqual([]);
  });

  it('lets pods pull by their service account', () => {
    const config = shown('Kubernetes service accounts');
    const pull = (claims: object) =>
      pulled(config, 'cluster', { ...KUBERNETES_CLAIMS, ...claims }, REPOSITORIES);
    expect(pull({})).toEqual(['acme/app', 'acme/base/debian', 'acme/other']);
    expect(pull({ sub: 'system:serviceaccount:ci:other' })).toEqual([]);
  });

  it.each([
    ['GitHub Actions', 'audience=mirror.example.com'],
    ['GitLab CI', 'aud: mirror.example.com'],
    ['Kubernetes service accounts', 'audience: mirror.example.com'],
  ])('has the audience that the client asks for: %s', (heading, asked) => {
    const [issuer] = Object.values(shown(heading).access?.oidc ?? {});
    expect(issuer?.audience).toEqual(['mirror.example.com']);
    expect(documented(PAGE, heading, 1).text).toContain(asked);
  });
});
