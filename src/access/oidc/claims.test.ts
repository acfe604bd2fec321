import type { JWTPayload } from 'jose';
import { describe, expect, it, test } from 'vitest';
import { GITHUB_CLAIMS, GITLAB_CLAIMS, KUBERNETES_CLAIMS } from '../../../test/support/real-claims.ts';
import { readClaims } from './claims.ts';
import type { OidcSettings } from './settings.ts';

const PLAIN: OidcSettings = {
  name: 'ci',
  issuer: 'https://issuer.example',
  audience: ['larder.example.com'],
  claims: {},
  serviceAccounts: false,
};
const MINIMAL: JWTPayload = { sub: 'job', exp: 1000 };

const read = (claims: JWTPayload, settings: Partial<OidcSettings> = {}) =>
  readClaims(claims, { ...PLAIN, ...settings });

test('the claims of a GitHub Actions job name its repository and branch', () => {
  expect(read(GITHUB_CLAIMS, { name: 'github', claims: { repository_owner: 'acme' } })).toEqual({
    principal: {
      kind: 'oidc',
      issuer: 'github',
      subject: 'repo:acme@65/app@74:ref:refs/heads/main',
      groups: [],
    },
    expiresAt: Date.UTC(2026, 0, 1, 0, 5),
  });
});

test("the claims of a GitLab job name its user's groups", () => {
  const settings = { name: 'gitlab', groups: 'groups_direct', claims: { ref_protected: 'true' } };
  expect(read(GITLAB_CLAIMS, settings)).toMatchObject({
    principal: {
      subject: 'project_path:acme/app:ref_type:branch:ref:main',
      groups: ['gitlab:acme/platform', 'gitlab:acme/security'],
    },
  });
});

test('the claims of a Kubernetes pod name its service account', () => {
  expect(read(KUBERNETES_CLAIMS, { name: 'cluster', serviceAccounts: true })).toMatchObject({
    principal: {
      kind: 'oidc',
      issuer: 'cluster',
      subject: 'system:serviceaccount:ci:builder',
      serviceAccount: { namespace: 'ci', name: 'builder' },
    },
  });
});

test('the same claims of another kind of issuer name no service account', () => {
  const claimed = read(KUBERNETES_CLAIMS) as { principal: object };
  expect(claimed.principal).not.toHaveProperty('serviceAccount');
});

describe('a condition', () => {
  it.each<[string, unknown, boolean]>([
    ['acme', 'acme', true],
    ['acme', 'acme2', false],
    ['acme', 'ACME', false],
    ['acme/*', 'acme/app', true],
    ['acme/*', 'acme2/app', false],
    ['*', '', true],
    ['*', undefined, false],
    ['*', null, false],
    ['*', {}, false],
    ['*', [], false],
    ['', '', true],
    ['', undefined, false],
    ['true', true, true],
    ['true', 'true', true],
    ['true', false, false],
    ['65', 65, true],
    ['65', '65', true],
    ['65', 650, false],
    ['acme', ['other', 'acme'], true],
    ['acme', ['other'], false],
    ['acme', [['acme']], false],
    ['undefined', undefined, false],
    ['null', null, false],
    ['[object Object]', {}, false],
    ['other,acme', ['other', 'acme'], false],
  ])('%j on the claim %j holds: %s', (pattern, value, expected) => {
    const claimed = read({ ...MINIMAL, owner: value }, { claims: { owner: pattern } });
    expect('principal' in claimed).toBe(expected);
  });

  it('is one of several that must all hold', () => {
    const claims = { ...MINIMAL, owner: 'acme', ref: 'refs/heads/main' };
    expect(read(claims, { claims: { owner: 'acme', ref: 'refs/heads/*' } })).toHaveProperty('principal');
    expect(read(claims, { claims: { owner: 'acme', ref: 'refs/tags/*' } })).toEqual({
      problem: 'has another claim "ref" than is configured',
    });
  });

  it('holds of no claim that an object inherits', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(read(MINIMAL, { claims: { [name]: '*' } })).toHaveProperty('problem');
    }
  });
});

describe('the claim sub', () => {
  it.each<[unknown, boolean]>([
    ['job', true],
    ['repo:acme/app', true],
    ['jöb', true],
    ['a'.repeat(1024), true],
    ['a'.repeat(1025), false],
    ['', false],
    [undefined, false],
    [7, false],
    [['job'], false],
    ['job\n', false],
    ['job\u0000', false],
    ['job\u001b[31m', false],
    ['job\u202eboj', false],
    ['job\u2028', false],
    ['\ud800', false],
  ])('%j names a subject: %s', (sub, expected) => {
    expect('principal' in read({ ...MINIMAL, sub: sub as string })).toBe(expected);
  });

  it.each(['job', 'system:serviceaccount:ci', 'system:serviceaccount:ci:builder:x', 'system:node:a'])(
    '%j names no service account, so that the token proves nothing',
    (sub) => {
      expect(read({ ...MINIMAL, sub }, { serviceAccounts: true })).toEqual({
        problem: 'names no service account in the claim sub',
      });
    },
  );
});

describe('the claim exp', () => {
  it.each([[undefined], ['1000'], [null], [Number.NaN], [Number.POSITIVE_INFINITY]])('is not %j', (exp) => {
    expect(read({ sub: 'job', exp: exp as number })).toEqual({ problem: 'has no claim exp' });
  });
});

describe('the claim of the groups', () => {
  it.each<[unknown, readonly string[] | undefined]>([
    [undefined, []],
    [null, []],
    [[], []],
    ['platform', ['ci:platform']],
    [
      ['platform', 'security'],
      ['ci:platform', 'ci:security'],
    ],
    [Array.from({ length: 256 }, () => 'a'), Array.from({ length: 256 }, () => 'ci:a')],
    [Array.from({ length: 257 }, () => 'a'), undefined],
    [[''], undefined],
    [7, undefined],
    [['platform', 7], undefined],
    [['platform', 'a\u0007'], undefined],
    [['platform', 'a'.repeat(1025)], undefined],
    [{ platform: true }, undefined],
  ])('%j names %j', (teams, expected) => {
    const claimed = read({ ...MINIMAL, teams }, { groups: 'teams' });
    expect(
      'principal' in claimed && claimed.principal.kind === 'oidc' ? claimed.principal.groups : undefined,
    ).toEqual(expected);
  });

  it('is read only where it is configured', () => {
    expect(read({ ...MINIMAL, groups: ['admin'] })).toMatchObject({ principal: { groups: [] } });
    expect(read(MINIMAL, { groups: 'constructor' })).toMatchObject({ principal: { groups: [] } });
  });
});
