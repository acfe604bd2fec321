import { describe, expect, expectTypeOf, it } from 'vitest';
import { ACTIONS, type Action } from '../../access/action.ts';
import { ANONYMOUS, type Principal } from '../../access/principal.ts';
import type { Who } from '../../access/rules/who.ts';
import type { Config } from '../../config/config.ts';
import { refusalToListen } from '../../config/listen-refusal.ts';
import { loadConfig } from '../../config/load.ts';
import { ACTIONS as CONFIGURED_ACTIONS } from '../../config/values/access/action.ts';
import type { WhoConfig } from '../../config/values/access/who.ts';
import { documented } from '../../../test/support/e2e/documented.ts';
import { asksForCredentials, rulesOf } from './access-rules.ts';
import { placeOf } from './explain-access.ts';
import { principalOf } from './principal-of.ts';

const ALICE: Principal = { kind: 'user', name: 'alice' };
const IMAGE = { registry: 'ghcr.io', repository: 'acme/app' };

function configOf(text: string): Config {
  const sources = { env: {}, cwd: '/srv', home: '/root', readText: () => text, isProgram: () => false };
  return loadConfig('config.yaml', sources);
}

function allowed(text: string, principal: Principal, place: typeof IMAGE | undefined): readonly Action[] {
  const rules = rulesOf(configOf(text));
  return ACTIONS.filter((action) => rules.decide(principal, action, place).isAllowed);
}

describe('without access', () => {
  it('every client may pull', () => {
    expect(allowed('', ANONYMOUS, IMAGE)).toEqual(['pull', 'tags', 'read', 'metrics']);
    expect(allowed('listen: :5000', ANONYMOUS, IMAGE)).toEqual(['pull', 'tags']);
  });

  it.each([
    ['127.0.0.1:5000', ['pull', 'tags', 'read', 'metrics']],
    ['"[::1]:5000"', ['pull', 'tags', 'read', 'metrics']],
    [':5000', ['pull', 'tags']],
    ['192.0.2.1:5000', ['pull', 'tags']],
  ])('on %s what concerns no repository is %j', (listen, actions) => {
    expect(allowed(`listen: ${listen}`, ANONYMOUS, undefined)).toEqual(actions);
  });
});

describe('with access', () => {
  const OIDC = 'oidc: { github: { issuer: "https://a.example", audience: b } }';
  const RULE = '{ repositories: ["ghcr.io/acme/**"], who: ["group:team"], allow: [pull] }';
  const TEXT = `upstreams: { docker.io: , ghcr.io: }
access:
  users: ./users
  ${OIDC}
  groups: { team: ["user:alice", "oidc:github"] }
  rules: [${RULE}]
`;

  it('the rules decide, and their groups', () => {
    expect(allowed(TEXT, ALICE, IMAGE)).toEqual(['pull']);
    expect(allowed(TEXT, { kind: 'user', name: 'bob' }, IMAGE)).toEqual([]);
    expect(allowed(TEXT, { kind: 'oidc', issuer: 'github', subject: 'x', groups: [] }, IMAGE)).toEqual([
      'pull',
    ]);
  });

  it('no client may more than they say, on this machine neither', () => {
    expect(allowed(TEXT, ANONYMOUS, IMAGE)).toEqual([]);
    expect(allowed(TEXT, ANONYMOUS, undefined)).toEqual([]);
  });

  it('anonymous is a last rule', () => {
    const text = `${TEXT}  anonymous: [pull, metrics]\n`;
    expect(allowed(text, ANONYMOUS, IMAGE)).toEqual(['pull', 'metrics']);
    expect(allowed(text, ANONYMOUS, undefined)).toEqual(['pull', 'metrics']);
    expect(allowed(text, ALICE, IMAGE)).toEqual(['pull']);
    expect(rulesOf(configOf(text)).decide(ANONYMOUS, 'pull', IMAGE).rule).toBe(1);
  });
});

describe('the lines that a refusal to listen shows', () => {
  const upstreams = 'upstreams: { docker.io: , ghcr.io: { credentials: { token: x } } }\n';
  const refused = configOf(`listen: :5000\n${upstreams}`);
  const lines = refusalToListen(refused, {})?.message.split('\n').slice(1).join('\n') ?? '';
  const hub = { registry: 'docker.io', repository: 'library/debian' };

  it('give private images to users alone, and the rest to every client', () => {
    expect(allowed(upstreams + lines, ANONYMOUS, IMAGE)).toEqual([]);
    expect(allowed(upstreams + lines, ALICE, IMAGE)).toEqual(['pull', 'tags']);
    expect(allowed(upstreams + lines, ANONYMOUS, hub)).toEqual(['pull', 'tags']);
    expect(allowed(upstreams + lines, ALICE, hub)).toEqual(['pull', 'tags']);
  });
});

describe('credentials', () => {
  const rule = (who: string): string =>
    `access: { rules: [{ repositories: ["**"], who: [${who}], allow: [pull] }], groups: { g: [authenticated] } }`;

  it.each([
    ['', false],
    ['access: { anonymous: pull }', false],
    ['access: { rules: [{ repositories: ["**"], who: [anonymous], allow: [pull] }] }', false],
    ['access: { anonymous: pull, users: ./users }', true],
    ['access: { anonymous: pull, oidc: { a: { issuer: "https://a.example", audience: b } } }', true],
    [rule('authenticated'), true],
    [rule('"token:ci"'), true],
    [rule('"group:g"'), true],
  ])('with %j are of use: %s', (text, expected) => {
    expect(asksForCredentials(configOf(text))).toBe(expected);
  });
});

describe('the configuration that docs/access.md shows', () => {
  const { text } = documented('docs/access.md', 'The configuration');
  const page = (path: string): string => (path === '/srv/config.yaml' ? text : 'secret');
  const sources = { env: {}, cwd: '/srv', home: '/root', readText: page, isProgram: () => false };
  const config = loadConfig('config.yaml', sources);

  it.each<[string, string, boolean]>([
    ['anonymous', 'debian', true],
    ['user:bob', 'debian', true],
    ['anonymous', 'ghcr.io/acme/app', false],
    ['user:bob', 'ghcr.io/acme/app', true],
    ['token:ci-build', 'ghcr.io/acme/app', true],
    ['token:prometheus', 'ghcr.io/acme/app', false],
    ['user:eve', 'ghcr.io/acme/app', false],
    ['anonymous', 'ghcr.io/acme/secret/app', false],
    ['user:bob', 'ghcr.io/acme/secret/app', false],
    ['user:alice', 'ghcr.io/acme/secret/app', true],
  ])('%s, %s: %s', (word, repository, isAllowed) => {
    const principal = principalOf({ word, groups: [] }, config);
    expect(rulesOf(config).decide(principal, 'pull', placeOf(repository, config)).isAllowed).toBe(isAllowed);
  });

  it('gives the metrics to Prometheus alone', () => {
    const reads = (word: string): boolean =>
      rulesOf(config).decide(principalOf({ word, groups: [] }, config), 'metrics', undefined).isAllowed;
    expect(['token:prometheus', 'user:alice', 'anonymous'].map(reads)).toEqual([true, false, false]);
  });
});

it('the words of the configuration are those of the rules', () => {
  expect(CONFIGURED_ACTIONS).toEqual(ACTIONS);
  expectTypeOf<WhoConfig>().toEqualTypeOf<Who>();
});
