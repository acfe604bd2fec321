import { afterEach, describe, expect, it } from 'vitest';
import { documented } from '../../../../test/support/e2e/documented.ts';
import { accessCommand } from './access.ts';

const FILES: Readonly<Record<string, string>> = {
  '/larder/config.yaml': `upstreams: { docker.io: , ghcr.io: { deny: [acme/secret] } }
access:
  users: ./users
  oidc: { github: { issuer: "https://a.example", audience: b, groups: groups } }
  rules:
    - { repositories: ["ghcr.io/acme/**"], who: ["user:alice", "group:github:acme"], allow: [pull] }
    - { repositories: ["docker.io/**"], who: [anonymous], allow: [pull, tags] }
`,
  '/larder/page/config.yaml': documented('docs/access.md', 'The configuration').text,
  '/larder/page/ghcr-password': 'secret',
  '/larder/open.yaml': '',
  '/larder/broken.yaml': 'access: {}',
};

const exitCode = process.exitCode;
afterEach(() => {
  process.exitCode = exitCode;
});

async function run(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  const readText = (path: string): string => {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return text;
  };
  const sources = { env: {}, cwd: '/larder', home: '/root', readText, isProgram: () => false };
  const command = accessCommand(() => sources, { stdout: stream('stdout'), stderr: stream('stderr') });
  await command.parseAsync(['explain', ...args], { from: 'user' });
  return { code: process.exitCode, ...written };
}

describe('explain', () => {
  it('says which rule allows', async () => {
    expect(await run('--as', 'user:alice', 'ghcr.io/acme/app')).toEqual({
      code: 0,
      stderr: '',
      stdout: `allowed: user:alice may pull ghcr.io/acme/app
  rule 1 (config.yaml:6) decides:
      { repositories: ["ghcr.io/acme/**"], who: ["user:alice", "group:github:acme"], allow: [pull] }
`,
    });
  });

  it('says which rule denies', async () => {
    expect(await run('--as', 'user:alice', '--action', 'tags', 'ghcr.io/acme/app')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^denied: user:alice may not list the tags of ghcr\.io\/acme\/app\n {2}rule 1 .*decides:\n/,
      ),
    });
  });

  it('says why rules do not decide, and that none does', async () => {
    const { code, stdout } = await run('--as', 'anonymous', 'ghcr.io/acme/app');
    expect(code).toBe(1);
    expect(stdout.split('\n').filter((line) => !line.startsWith('      '))).toEqual([
      'denied: anonymous may not pull ghcr.io/acme/app',
      '  rule 1 (config.yaml:6) does not match anonymous:',
      '  rule 2 (config.yaml:7) does not match the repository:',
      '  no rule matches: what no rule allows is denied',
      '',
    ]);
    expect((await run('--as', 'token:ci', 'ghcr.io/other')).stdout).toContain(
      'rule 1 (config.yaml:6) does not match the repository, nor token:ci:',
    );
  });

  it('takes the groups of an issuer', async () => {
    const args = ['--as', 'oidc:github:x', '--group', 'acme', '--group', 'b', 'ghcr.io/acme/app'];
    expect((await run(...args)).code).toBe(0);
    expect((await run('--as', 'oidc:github:x', 'ghcr.io/acme/app')).code).toBe(1);
  });

  it('is about the metrics, too', async () => {
    const { code, stdout } = await run('--as', 'user:alice', '--action', 'metrics');
    expect([code, stdout.split('\n', 1)]).toEqual([1, ['denied: user:alice may not read the metrics']]);
    expect(await run('--as', 'anonymous', '--action', 'metrics', '--config', 'open.yaml')).toMatchObject({
      code: 0,
      stdout:
        'allowed: anonymous may read the metrics\n  open.yaml has no section access: every client may pull everything\n',
    });
  });

  it('says that no client gets what the upstream leaves out', async () => {
    expect(await run('--as', 'user:alice', 'ghcr.io/acme/secret')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("not served to any client: the upstream's allow and deny leave it out"),
    });
  });

  it('prints JSON', async () => {
    const { code, stdout } = await run('--as', 'user:bob', '--json', 'debian');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        allowed: true,
        as: 'user:bob',
        action: 'pull',
        repository: 'docker.io/library/debian',
        served: true,
        decidedBy: 2,
        rules: [
          {
            rule: 1,
            line: 6,
            text: '{ repositories: ["ghcr.io/acme/**"], who: ["user:alice", "group:github:acme"], allow: [pull] }',
            matchesRepository: false,
            matchesClient: false,
          },
          {
            rule: 2,
            line: 7,
            text: '{ repositories: ["docker.io/**"], who: [anonymous], allow: [pull, tags] }',
            matchesRepository: true,
            matchesClient: true,
          },
        ],
      },
    ]);
  });

  it('prints what docs/access.md shows', async () => {
    const shown = documented('docs/access.md', 'Which rule decides', 1).text;
    const { stdout } = await run(
      '--as',
      'user:bob',
      'ghcr.io/acme/secret/app',
      '--config',
      'page/config.yaml',
    );
    expect(stdout.replaceAll('page/', '')).toBe(shown);
  });

  it.each([
    [
      ['--as', 'alice', 'debian'],
      'larder: --as "alice": expected one client: anonymous, user:NAME, token:NAME, oidc:ISSUER:SUBJECT or serviceaccount:NAMESPACE/NAME\n',
    ],
    [['--as', 'user:alice'], 'larder: expected a repository'],
    [
      ['--as', 'user:alice', '--action', 'metrics', 'debian'],
      'larder: expected no repository beside --action metrics',
    ],
    [['--as', 'user:alice', 'quay.io/a/b'], 'larder: quay.io/a/b: there is no upstream "quay.io"'],
    [
      ['--as', 'user:alice', '--config', 'broken.yaml', 'debian'],
      'broken.yaml:1: access: expected anonymous or rules',
    ],
    [['--as', 'user:alice', '--config', 'none.yaml', 'debian'], 'none.yaml: expected a configuration file'],
  ])('%j ends with 2', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});
