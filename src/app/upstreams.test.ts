import { describe, expect, test } from 'vitest';
import { Passage } from '../upstream/transport/passage.ts';
import { createEvents } from '../events.ts';
import type { PermissionPolicy } from '../mirror/permission/permission-policy.ts';
import { loadConfig } from '../config/load.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createUpstreams } from './upstreams.ts';

/** Returns the policy of ghcr.io if it, and the access to it, are configured like this. */
function policyOf(entry: string, access = ''): PermissionPolicy | undefined {
  const text = `offline: true\nupstreams: { ghcr.io: { ${entry} } }\ndefaultUpstream: ghcr.io\n${access}\n`;
  const sources = { env: {}, cwd: '/srv', home: '/root', readText: () => text, isProgram: () => true };
  const config = loadConfig('config.yaml', sources);
  const dependencies = {
    clock: new ManualClock(),
    events: createEvents(),
    userAgent: 'x',
    passage: new Passage('x'),
  };
  return createUpstreams(config, dependencies)[0]?.permission;
}

describe('an upstream', () => {
  test.each([
    ['', true],
    ['allow: ["**"]', true],
    ['allow: ["acme/**", "**"]', true],
    ['deny: ["acme/secret"]', false],
    ['allow: ["acme/**"]', false],
    ['allow: ["**"], deny: ["acme/**"]', false],
    ['credentials: { username: u, password: p }', false],
    ['credentials: { helper: docker-credential-ecr-login }', false],
  ])('with { %s } is open to all clients alike: %s', (entry, isOpen) => {
    expect(policyOf(entry)?.isOpen).toBe(isOpen);
  });

  const RULE = (repositories: string, who: string, allow: string): string =>
    `{ repositories: ["${repositories}"], who: [${who}], allow: [${allow}] }`;

  test.each([
    ['anonymous: pull', true],
    [`users: /u, anonymous: pull, rules: [${RULE('ghcr.io/acme/**', '"user:alice"', 'pull, tags')}]`, true],
    [`rules: [${RULE('ghcr.io/**', 'anonymous', 'pull')}]`, true],
    [`users: /u, rules: [${RULE('**', '"user:alice"', 'pull')}]`, false],
    [`users: /u, anonymous: pull, rules: [${RULE('ghcr.io/acme/**', 'anonymous', '')}]`, false],
    [`users: /u, rules: [${RULE('ghcr.io/acme/**', 'anonymous', 'pull')}]`, false],
  ])('with access { %s } is open to all clients alike: %s', (access, isOpen) => {
    expect(policyOf('', `access: { ${access} }`)?.isOpen).toBe(isOpen);
  });

  test.each([
    ['', false],
    ['checksReferences: false', false],
    ['checksReferences: true', true],
  ])('with { %s } vouches for what its manifests name: %s', (entry, checksReferences) => {
    expect(policyOf(entry)?.checksReferences).toBe(checksReferences);
  });
});
