import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../config-problem.ts';
import { loadConfig } from '../../load.ts';

/** Returns the mistakes, without the file's name. */
function mistakes(text: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  const readText = (path: string): string => {
    const found = path === '/etc/larder/config.yaml' ? text : files[path];
    if (found === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return found;
  };
  try {
    loadConfig('config.yaml', { env: {}, cwd: '/etc/larder', home: '/', readText, isProgram: () => true });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines.map((line) => line.replace('config.yaml:', ''));
    throw error;
  }
}

const WORDS =
  'anonymous, authenticated, user:NAME, group:NAME, token:NAME, oidc:ISSUER:SUBJECT or serviceaccount:NAMESPACE/NAME';
const ACTIONS = 'pull, tags, push, delete, read, admin or metrics';
const GLOB = 'a glob of registry/repository such as docker.io/library/* or ghcr.io/acme/**, or **';
const FOR_ALL = 'expected pull, or a list of pull, tags or metrics';

it('finds nothing wrong with a section that uses everything', () => {
  const text = `
upstreams: { docker.io: , ghcr.io: { aliases: [images.example] } }
access:
  anonymous: [metrics]
  users: ./users
  groups: { platform: ["user:alice", "token:ci-*", authenticated, "serviceaccount:ci/*", "oidc:github:a:b"] }
  oidc:
    github: { issuer: https://a.example, audience: larder, groups: groups }
    gitlab: { issuer: https://a.example/, audience: [larder, a] }
    cluster: { issuer: https://10.0.0.1, audience: larder, serviceAccounts: true }
  rules:
    - { repositories: ["**"], who: ["group:platform", "group:github:acme"], allow: [] }
    - { repositories: ["*/team/**", "ghcr.io/acme/*", "docker.io/library/*", "**/x"], who: [anonymous], allow: [pull] }
    - { repositories: ["docker.io/**", "docker.io/[[:alpha:]]*/{a,b}"], who: ["user:*"], allow: [${ACTIONS.replace(' or', ',')}] }
publicUrl: http://mirror:5000
`;
  expect(mistakes(text)).toEqual([]);
});

describe('a section that allows nothing', () => {
  it.each([
    ['access:', ['1: access: expected anonymous or rules, without which nothing is allowed, got nothing']],
    ['access: {}', ['1: access: expected anonymous or rules, without which nothing is allowed']],
    ['access:\n  rules: []', ['2: access.rules: expected at least one entry, got an empty list']],
    ['access:\n  anonymous: []', [`2: access.anonymous: ${FOR_ALL}, got a list of nothing`]],
    ['access: { rule: [] }', ['1: access.rule: unknown key, did you mean rules?']],
    ['access: closed', ['1: access: expected a map of keys and values, got "closed"']],
    ['access: { anonymous: }', [`1: access.anonymous: ${FOR_ALL}, got nothing`]],
    [
      'access: { anonymous: [pull, push] }',
      [`1: access.anonymous: ${FOR_ALL}, got a list of "pull", "push"`],
    ],
  ])('%j', (text, lines) => {
    expect(mistakes(text)).toEqual(lines);
  });
});

describe('a rule', () => {
  it.each([
    [
      '{}',
      [
        'repositories: expected a list, got nothing',
        'who: expected a list, got nothing',
        'allow: expected a list, got nothing',
      ],
    ],
    [
      '{ repositories: [], who: [], allow: [] }',
      [
        'repositories: expected at least one entry, got an empty list',
        'who: expected at least one entry, got an empty list',
      ],
    ],
    [
      '{ repositories: ["**"], who: [anonymous], allow: [pul] }',
      [`allow[0]: expected ${ACTIONS}, got "pul"`],
    ],
    ['{ repositories: ["**"], who: anonymous, allow: [pull] }', ['who: expected a list, got "anonymous"']],
    [
      '{ repositories: ["*/**", "docker.io/**"], who: [anonymous], allow: [metrics] }',
      ['repositories: expected "**" among them, since no single repository is meant by metrics'],
    ],
    ['{ repositories: ["docker.io/**", "**"], who: [anonymous], allow: [metrics] }', []],
    [
      '{ repositories: ["**"], who: [anonymous], allows: [pull] }',
      ['allows: unknown key, did you mean allow?'],
    ],
  ])('%s', (rule, lines) => {
    const expected = lines.map((line) => `2: access.rules[0].${line}`);
    expect(mistakes(`access: { rules: [\n  ${rule}\n  ] }`)).toEqual(expected);
  });
});

describe('a word', () => {
  const CONTEXT = `access:
  oidc:
    github: { issuer: "https://a.example", audience: b }
    gitlab: { issuer: "https://b.example", audience: b, groups: groups_direct }
  groups: { platform: [authenticated], developers: [authenticated] }
`;

  it.each([
    ['everyone', `expected ${WORDS}`],
    ['usr:alice', `expected ${WORDS}`],
    ['Anonymous', `expected ${WORDS}`],
    ['user:', 'expected a name without a colon after user:'],
    ['token:a:b', 'expected a name without a colon after token:'],
    ['user:alice', 'expected access.users, the file with the users'],
    ['group:', 'expected a name after group:'],
    ['group:platfrom', 'expected a group of access.groups (did you mean platform?)'],
    ['group:acme', 'expected a group of access.groups, platform or developers'],
    ['group:githb:acme', 'expected an issuer of access.oidc before the colon (did you mean github?)'],
    ['group:okta:acme', 'expected an issuer of access.oidc before the colon, github or gitlab'],
    ['group:github:acme', 'expected access.oidc.github.groups, the claim with the groups'],
    ['oidc:', 'expected oidc:ISSUER or oidc:ISSUER:SUBJECT'],
    ['oidc:*:x', 'expected oidc:ISSUER or oidc:ISSUER:SUBJECT'],
    ['oidc:gihub:repo', 'expected an issuer of access.oidc (did you mean github?)'],
    ['serviceaccount:ci', 'expected serviceaccount:NAMESPACE/NAME in lower case'],
    ['serviceaccount:CI/a', 'expected serviceaccount:NAMESPACE/NAME in lower case'],
    ['serviceaccount:ci/a', 'expected an issuer in access.oidc with "serviceAccounts: true"'],
  ])('%s', (word, message) => {
    const rule = `{ repositories: ["**"], allow: [pull], who: [\n    anonymous,\n    ${JSON.stringify(word)}] }`;
    expect(mistakes(`${CONTEXT}  rules: [\n   ${rule}\n   ]`)).toEqual([
      `9: access.rules[0].who[1]: ${message}, got ${JSON.stringify(word)}`,
    ]);
  });

  it('is no map, as YAML reads it with a blank behind the colon', () => {
    expect(
      mistakes('access: { rules: [{ repositories: ["**"], allow: [pull], who: [user: alice] }] }'),
    ).toEqual([`1: access.rules[0].who[0]: expected ${WORDS}, got a map`]);
  });

  it('of a group is no group, and is checked as one of a rule', () => {
    const text = `access:
  anonymous: pull
  groups:
    a: ["group:b"]
    b: ["user:alice"]
    c: [anonymous]
    c0: []
    d:e: [authenticated]
    f*: [authenticated]`;
    expect(mistakes(text)).toEqual([
      '4: access.groups.a[0]: expected no group inside a group, got "group:b"',
      '5: access.groups.b[0]: expected access.users, the file with the users, got "user:alice"',
      '6: access.groups.c[0]: expected clients that log in; "anonymous" belongs into the rule itself',
      '7: access.groups.c0: expected at least one entry, got an empty list',
      '8: access.groups."d:e": expected a name without ":" (groups of issuers have one) and "*"',
      '9: access.groups."f*": expected a name without ":" (groups of issuers have one) and "*"',
    ]);
  });
});

describe('a glob', () => {
  const NAMES = 'docker.io, ghcr.io, * or ** before the first "/"';

  it.each([
    ['docker.io/debian', '"docker.io/library/debian", since docker.io has no names of one part'],
    [
      'docker.io/{debian,alpine}',
      '"docker.io/library/{debian,alpine}", since docker.io has no names of one part',
    ],
    [
      'docker.io/*',
      '"docker.io/library/*" (or "docker.io/**" for all of the registry), since docker.io has no names of one part',
    ],
    ['index.docker.io/team/**', '"docker.io/team/**", the registry\'s own name'],
    ['index.docker.io/debian', '"docker.io/library/debian", since docker.io has no names of one part'],
    ['images.example/**', '"ghcr.io/**", the registry\'s own name'],
    ['docker.io', '"docker.io/**" for all of the registry'],
    ['index.docker.io', '"docker.io/**" for all of the registry'],
    ['dcoker.io/**', 'a registry of upstreams (did you mean "docker.io/**"?)'],
    ['quay.io/**', NAMES],
    ['library/debian', NAMES],
    ['debian', NAMES],
    ['*.io/**', NAMES],
    ['*', '** for all repositories'],
    ['ghcr.io/', GLOB],
    ['{docker.io,ghcr.io}/**', 'a glob whose first part is one registry, * or **, without brackets'],
    ['[dg]*/**', 'a glob whose first part is one registry, * or **, without brackets'],
    ['ghcr.io/Acme/**', 'a glob in lower case, as names of repositories are'],
    ['docker.io/library/debian:12', 'a glob of repositories, without a tag or digest'],
    ['!docker.io/**', 'a glob that does not start with "!"'],
    ['ghcr.io/{a', 'a glob such as library/* or team/**, its brackets in pairs'],
  ])('%s', (glob, message) => {
    const text = `upstreams: { docker.io: , ghcr.io: { aliases: [images.example] } }
access: { rules: [{ who: [anonymous], allow: [pull], repositories: [
  "**",
  ${JSON.stringify(glob)}] }] }`;
    expect(mistakes(text)).toEqual([
      `4: access.rules[0].repositories[1]: expected ${message}, got ${JSON.stringify(glob)}`,
    ]);
  });

  it('is of the default upstream, if the file names none', () => {
    const rule = (glob: string): string =>
      `access: { rules: [{ repositories: ["${glob}"], who: [anonymous], allow: [pull] }] }`;
    expect(mistakes(rule('docker.io/**'))).toEqual([]);
    expect(mistakes(rule('ghcr.io/**'))).toHaveLength(1);
  });
});

describe('an issuer', () => {
  const issuer = (keys: string, name = 'a'): string =>
    `access: { anonymous: pull, oidc: {\n  ${name}: { ${keys} } } }`;

  it.each([
    ['audience: b', 'issuer: expected an https:// URL, got nothing'],
    [
      'issuer: "https://a.example"',
      "audience: expected the audience of Larder's tokens, a text such as mirror.example or a list of such, got nothing",
    ],
    [
      'issuer: a.example, audience: b',
      'issuer: expected an https:// URL without a fragment, got "a.example"',
    ],
    [
      'issuer: "http://a.example", audience: b',
      'issuer: expected an https:// URL (http:// only on this machine, such as http://127.0.0.1:8080), got "http://a.example"',
    ],
    [
      'issuer: "https://a.example?b", audience: b',
      'issuer: expected an https:// URL without a query, got "https://a.example?b"',
    ],
    [
      'issuer: "https://me:secret@a.example", audience: b',
      'issuer: expected an https:// URL without user and password, got "***@a.example"',
    ],
    [
      'issuer: "https://a.example", audience: b, jwksUrl: "http://10.0.0.1/keys"',
      'jwksUrl: expected an https:// URL (http:// only on this machine, such as http://127.0.0.1:8080), got "http://10.0.0.1/keys"',
    ],
    [
      'issuer: "https://a.example", audience: b, claims: { c: [d] }',
      'claims.c: expected a text, a number, true or false, got a list',
    ],
    ['issuer: "https://a.example", audience: b, claim: {}', 'claim: unknown key, did you mean claims?'],
    [
      'issuer: "https://token.actions.githubusercontent.com", audience: b',
      'claims: expected conditions such as { repository_owner_id: "65" }, since every repository on GitHub gets tokens of "https://token.actions.githubusercontent.com"',
    ],
    [
      'issuer: "https://gitlab.com/", audience: b, claims: {}',
      'claims: expected conditions such as { namespace_id: "72" }, since every project on GitLab.com gets tokens of "https://gitlab.com/"',
    ],
    [
      'issuer: "https://a.example", audience: b, groups: [c]',
      'groups: expected the name of a claim, such as groups, got a list',
    ],
    [
      'issuer: "https://a.example", audience: b, ca: ./none.pem',
      'ca: expected a file that can be read, got "./none.pem" (ENOENT)',
    ],
    [
      'issuer: "https://a.example", audience: b, ca: ./no.pem',
      'ca: expected a file of PEM certificates, got "./no.pem"',
    ],
    [
      'issuer: "https://a.example", audience: b, tokenFile: /none',
      'tokenFile: expected a file that can be read, got "/none" (ENOENT)',
    ],
  ])('%s', (keys, line) => {
    expect(mistakes(issuer(keys), { '/etc/larder/no.pem': 'no' })).toEqual([`2: access.oidc.a.${line}`]);
  });

  it.each(['http://127.0.0.1:1', 'http://localhost', 'http://[::1]:2/a'])(
    'may be %s, on this machine',
    (url) => {
      expect(mistakes(issuer(`issuer: "${url}", audience: b`))).toEqual([]);
    },
  );

  it('has a name without a colon', () => {
    expect(mistakes(issuer('issuer: "https://a.example", audience: b', '"a:b"'))).toEqual([
      '2: access.oidc."a:b": expected a name of letters, digits, ".", "-" and "_", since rules have it before a colon',
    ]);
  });

  it('is there once', () => {
    const both =
      'access:\n anonymous: pull\n oidc:\n  a: { issuer: "https://a.example", audience: b }\n  b: { issuer: "https://a.example", audience: c }';
    expect(mistakes(both)).toEqual([
      '5: access.oidc.b.issuer: expected each issuer once, "https://a.example" is that of a',
    ]);
  });
});

it('the public URL has no path', () => {
  expect(mistakes('publicUrl: https://mirror.example/larder')).toEqual([
    '1: publicUrl: expected a URL without a path, got "https://mirror.example/larder"',
  ]);
});
