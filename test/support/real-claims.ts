import type { JWTPayload } from 'jose';

/** When the tokens below were issued, and when they end, seconds since the epoch. */
const ISSUED_AT = Date.UTC(2026, 0, 1) / 1000;
const TIMES = { iat: ISSUED_AT, nbf: ISSUED_AT - 5, exp: ISSUED_AT + 300 };

/** The claims of a GitHub Actions job (https://docs.github.com/en/actions/reference/security/oidc), with an immutable subject. */
export const GITHUB_CLAIMS: JWTPayload = {
  jti: 'a8e3c1d4-5a0e-4e0b-9d0f-3f6f1c3a1b11',
  sub: 'repo:acme@65/app@74:ref:refs/heads/main',
  aud: 'larder.example.com',
  ref: 'refs/heads/main',
  sha: '6b1f6a1c6f5d2f3a9b7e8c4d5e6f7a8b9c0d1e2f',
  repository: 'acme/app',
  repository_owner: 'acme',
  repository_owner_id: '65',
  repository_id: '74',
  repository_visibility: 'private',
  run_id: '9876543210',
  run_number: '10',
  run_attempt: '2',
  runner_environment: 'github-hosted',
  actor: 'alice',
  actor_id: '12',
  workflow: 'build',
  workflow_ref: 'acme/app/.github/workflows/build.yml@refs/heads/main',
  job_workflow_ref: 'acme/shared/.github/workflows/build.yml@refs/heads/main',
  head_ref: '',
  base_ref: '',
  event_name: 'push',
  ref_protected: 'true',
  ref_type: 'branch',
  iss: 'https://token.actions.githubusercontent.com',
  ...TIMES,
};

/** The claims of a GitLab job's ID token (https://docs.gitlab.com/ci/secrets/id_token_authentication/). */
export const GITLAB_CLAIMS: JWTPayload = {
  jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
  sub: 'project_path:acme/app:ref_type:branch:ref:main',
  aud: 'larder.example.com',
  namespace_id: '72',
  namespace_path: 'acme',
  project_id: '20',
  project_path: 'acme/app',
  project_visibility: 'private',
  user_id: '1',
  user_login: 'alice',
  user_email: 'alice@example.com',
  user_access_level: 'developer',
  user_identities: [{ provider: 'saml', extern_uid: 'alice' }],
  groups_direct: ['acme/platform', 'acme/security'],
  pipeline_id: '574',
  pipeline_source: 'push',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
  ci_config_ref_uri: 'gitlab.example.com/acme/app//.gitlab-ci.yml@refs/heads/main',
  iss: 'https://gitlab.example.com',
  ...TIMES,
};

/**
 * The claims of a projected service account token
 * (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens).
 */
export const KUBERNETES_CLAIMS: JWTPayload = {
  aud: ['larder.example.com'],
  iss: 'https://kubernetes.default.svc.cluster.local',
  jti: 'e51f1fbc-4733-4b85-a59f-ba80c0523874',
  'kubernetes.io': {
    namespace: 'ci',
    node: { name: 'worker-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
    pod: { name: 'build-7d9f', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
    serviceaccount: { name: 'builder', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
    warnafter: ISSUED_AT + 200,
  },
  sub: 'system:serviceaccount:ci:builder',
  ...TIMES,
};
