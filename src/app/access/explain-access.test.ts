import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../access/action.ts';
import { ANONYMOUS, type Principal } from '../../access/principal.ts';
import type { Config } from '../../config/config.ts';
import { encodeConfig } from '../../config/print.ts';
import { linesOf, loadConfig } from '../../config/load.ts';
import { rulesOf } from './access-rules.ts';
import { explainAccess, placeOf, type Explanation } from './explain-access.ts';

function sourcesOf(text: string): Parameters<typeof loadConfig>[1] {
  return { env: {}, cwd: '/srv', home: '/root', readText: () => text, isProgram: () => false };
}

function configOf(text: string): Config {
  return loadConfig('config.yaml', sourcesOf(text));
}

function explain(
  text: string,
  principal: Principal,
  repository: string | undefined,
  action: (typeof ACTIONS)[number] = 'pull',
): Explanation {
  const config = configOf(text);
  const place = repository === undefined ? undefined : placeOf(repository, config);
  return explainAccess(config, { principal, action, place }, linesOf('config.yaml', sourcesOf(text)));
}

const ALICE: Principal = { kind: 'user', name: 'alice' };

const TEXT = `upstreams:
  docker.io:
  ghcr.io: { deny: ["acme/secret"] }
access:
  users: ./users
  anonymous: pull
  rules:
    - { repositories: ["ghcr.io/acme/**"], who: ["user:alice", authenticated], allow: [pull] }
    - repositories: ["ghcr.io/**"]
      who: [anonymous]
      allow: []
`;
const FIRST = {
  rule: 1,
  line: 8,
  text: '{ repositories: ["ghcr.io/acme/**"], who: ["user:alice", authenticated], allow: [pull] }',
};
const SECOND = { rule: 2, line: 9, text: '{ repositories: ["ghcr.io/**"], who: [anonymous], allow: [] }' };
const LAST = { rule: 'anonymous', line: 6, text: 'anonymous: [pull, tags]' };

describe('an explanation', () => {
  it('ends with the rule that decides', () => {
    expect(explain(TEXT, ALICE, 'ghcr.io/acme/app:1')).toEqual({
      isAllowed: true,
      client: 'user:alice',
      action: 'pull',
      repository: 'ghcr.io/acme/app',
      isServed: true,
      hasAccess: true,
      considered: [{ ...FIRST, isAboutRepository: true, isAboutClient: true }],
    });
  });

  it('says of the rules before why they do not', () => {
    expect(explain(TEXT, ANONYMOUS, 'ghcr.io/acme/app')).toMatchObject({
      isAllowed: false,
      considered: [
        { ...FIRST, isAboutRepository: true, isAboutClient: false },
        { ...SECOND, isAboutRepository: true, isAboutClient: true },
      ],
    });
    expect(explain(TEXT, ALICE, 'debian')).toMatchObject({
      isAllowed: true,
      repository: 'docker.io/library/debian',
      considered: [
        { ...FIRST, isAboutRepository: false, isAboutClient: true },
        { ...SECOND, isAboutRepository: false, isAboutClient: true },
        { ...LAST, isAboutRepository: true, isAboutClient: true },
      ],
    });
  });

  it('of what no rule is about has all rules', () => {
    const text = TEXT.replace('  anonymous: pull\n', '');
    expect(explain(text, ALICE, undefined, 'metrics')).toMatchObject({
      isAllowed: false,
      repository: undefined,
      considered: [{ isAboutRepository: false }, { isAboutRepository: false }],
    });
  });

  it('says that an upstream does not serve the repository', () => {
    expect(explain(TEXT, ALICE, 'ghcr.io/acme/secret')).toMatchObject({ isAllowed: false, isServed: false });
  });

  it('without access says so', () => {
    expect(explain('', ANONYMOUS, 'debian')).toMatchObject({
      isAllowed: true,
      hasAccess: false,
      considered: [],
    });
  });
});

it.each([
  ['quay.io/a/b', 'there is no upstream "quay.io"'],
  [`sha256:${'a'.repeat(64)}`, 'expected a repository'],
  ['Debian', 'is not a repository name'],
])('no explanation is given of %s', (text, message) => {
  expect(() => placeOf(text, configOf(''))).toThrow(message);
});

const REGISTRIES = ['docker.io', 'ghcr.io'];
const globs = fc.constantFrom(
  '**',
  '*/acme/**',
  'ghcr.io/**',
  'docker.io/library/*',
  'ghcr.io/acme/{a,b}',
  '**/a',
);
const words = fc.constantFrom(
  'anonymous',
  'authenticated',
  'user:alice',
  'user:*',
  'token:ci',
  'group:team',
  'group:github:acme',
  'oidc:github',
  'oidc:github:repo:acme/*',
  'serviceaccount:ci/*',
);
const rule = fc
  .record({
    repositories: fc.array(globs, { minLength: 1, maxLength: 3 }),
    who: fc.array(words, { minLength: 1, maxLength: 3 }),
    allow: fc.uniqueArray(fc.constantFrom(...ACTIONS)),
  })
  // A rule with nothing but these is refused: they concern no single repository.
  .filter(
    ({ repositories, allow }) =>
      allow.length === 0 ||
      repositories.includes('**') ||
      allow.some((action) => !['metrics', 'read', 'admin'].includes(action)),
  );
const sections = fc.record(
  {
    anonymous: fc.constantFrom<unknown>('pull', ['pull'], ['tags', 'metrics']),
    users: fc.constant('./users'),
    groups: fc.record({
      team: fc.array(
        words.filter((word) => word !== 'anonymous' && !word.startsWith('group:')),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    oidc: fc.constant({
      github: { issuer: 'https://a.example', audience: 'b', groups: 'groups', claims: { a: '*', b: 7 } },
      cluster: { issuer: 'https://b.example', audience: ['b', 'c'], serviceAccounts: true },
    }),
    rules: fc.array(rule, { minLength: 1, maxLength: 6 }),
  },
  { requiredKeys: ['users', 'groups', 'oidc', 'rules'] },
);
const principals = fc.constantFrom<Principal>(
  ANONYMOUS,
  ALICE,
  { kind: 'user', name: 'bob' },
  { kind: 'token', name: 'ci' },
  { kind: 'oidc', issuer: 'github', subject: 'repo:acme/app', groups: ['github:acme'] },
  {
    kind: 'oidc',
    issuer: 'cluster',
    subject: 'system:serviceaccount:ci:builder',
    groups: [],
    serviceAccount: { namespace: 'ci', name: 'builder' },
  },
);
const places = fc.option(
  fc.record({
    registry: fc.constantFrom(...REGISTRIES),
    repository: fc.constantFrom('library/a', 'acme/a', 'acme/x/y', 'a'),
  }),
  { nil: undefined },
);

function textOf(access: unknown): string {
  return JSON.stringify({ upstreams: { 'docker.io': {}, 'ghcr.io': {} }, access });
}

describe('for any rules', () => {
  it('the explanation ends with the rule that decides, and says what it decides', () => {
    fc.assert(
      fc.property(
        sections,
        principals,
        places,
        fc.constantFrom(...ACTIONS),
        (access, principal, place, action) => {
          const text = textOf(access);
          const config = configOf(text);
          const decision = rulesOf(config).decide(principal, action, place);
          const { isAllowed, considered } = explainAccess(config, { principal, action, place }, () => 1);
          expect(isAllowed).toBe(decision.isAllowed);
          const deciding = considered.findIndex((each) => each.isAboutRepository && each.isAboutClient);
          expect(deciding).toBe(decision.rule ?? -1);
          expect(considered).toHaveLength(
            decision.rule === undefined
              ? access.rules.length + Number('anonymous' in access)
              : decision.rule + 1,
          );
        },
      ),
    );
  });

  it('the printed configuration is read as the same rules', () => {
    fc.assert(
      fc.property(sections, (access) => {
        const config = configOf(textOf(access));
        expect(configOf(JSON.stringify(encodeConfig(config))).access).toEqual(config.access);
      }),
    );
  });
});
