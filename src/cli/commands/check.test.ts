import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { check, checkCommand } from './check.ts';

const FILES: Readonly<Record<string, string>> = {
  '/larder/config.yaml': 'offline: true\n',
  '/larder/open.yaml': 'listen: :5000\nupstreams: { docker.io: { credentials: { token: hunter2 } } }\n',
  '/larder/closed.yaml': `upstreams: { docker.io: , ghcr.io: }
access:
  anonymous: pull
  rules:
    - { repositories: ["ghcr.io/**"], who: ["token:ci"], allow: [pull] }
    - { repositories: ["ghcr.io/**"], who: [anonymous], allow: [] }`,
  '/larder/no-users.yaml': 'access: { users: ./users, anonymous: pull }',
  '/larder/md5-users.yaml': 'access: { users: ./md5, anonymous: pull }',
  '/larder/md5': '# users\nalice:$apr1$x$y\n',
  '/larder/broken.yaml': 'lisen: x\ncache: { maxSize: big }\nlog: { level: loud }\n',
};

function sources(env: Readonly<Record<string, string>> = {}): Parameters<typeof check>[1] {
  return {
    env,
    cwd: '/larder',
    home: '/home/me',
    readText(path) {
      const text = FILES[path];
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
      return text;
    },
    isProgram: () => false,
  };
}

describe('check', () => {
  it('prints the configuration in effect', () => {
    const result = check('config.yaml', sources({ LARDER_LISTEN: '127.0.0.1:7000' }));
    expect(result).toMatchObject({ exitCode: 0, errors: [] });
    expect(result.output).toContain('listen: 127.0.0.1:7000\n');
    expect(result.output).toContain('offline: true\n');
  });

  it('says how open it is, in a comment', () => {
    expect(check('config.yaml', sources()).output).toMatch(
      /\n# access is open: every client may pull everything\n$/,
    );
    expect(check('closed.yaml', sources()).output).toMatch(
      /\n# access is closed: 2 rules; else every client: pull, tags\n# Docker's registry-mirrors needs the path \/docker\.io\n$/,
    );
  });

  it('warns of a cache directory that others may enter, and of no other one', async () => {
    await using directory = await temporaryDirectory('check');
    const env = { LARDER_CACHE_DIRECTORY: directory.path };
    await chmod(directory.path, 0o755);
    expect(check('config.yaml', sources(env))).toMatchObject({
      exitCode: 0,
      errors: [expect.stringContaining(`may enter the cache directory ${directory.path} (mode 0755)`)],
    });
    for (const mode of [0o750, 0o700]) {
      await chmod(directory.path, mode);
      expect(check('config.yaml', sources(env)).errors).toEqual([]);
    }
    const absent = join(directory.path, 'absent');
    expect(check('config.yaml', sources({ LARDER_CACHE_DIRECTORY: absent })).errors).toEqual([]);
  });

  it('gives every mistake a line', () => {
    expect(check('broken.yaml', sources())).toEqual({
      exitCode: 2,
      output: '',
      errors: [
        'broken.yaml:1: lisen: unknown key, did you mean listen?',
        'broken.yaml:2: cache.maxSize: expected a size such as 512MiB, 50GB or 1024, got "big"',
        'broken.yaml:3: log.level: expected trace, debug, info, warn, error or silent, got "loud"',
      ],
    });
  });

  it('reports what serve would refuse', () => {
    const { exitCode, errors, output } = check('open.yaml', sources());
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).toEqual([
      expect.stringMatching(/^open\.yaml:1: listen: refused to listen on :5000, .*docker\.io/),
    ]);
    expect(check('no-users.yaml', sources()).errors).toEqual([
      'no-users.yaml:1: access.users: expected a file that can be read, got "/larder/users" (ENOENT); "larder passwd NAME" makes it',
    ]);
    expect(check('md5-users.yaml', sources()).errors).toEqual([
      expect.stringMatching(
        /^md5-users\.yaml:1: access\.users: expected names and bcrypt hashes, got \/larder\/md5:2: .*MD5/,
      ),
    ]);
  });
});

describe('checkCommand', () => {
  const exitCode = process.exitCode;
  afterEach(() => {
    process.exitCode = exitCode;
  });

  async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const written = ['', ''];
    const stream = (index: 0 | 1) => ({ write: (text: string) => (written[index] += text) });
    const command = checkCommand(() => sources(env), { stdout: stream(0), stderr: stream(1) });
    await command.parseAsync(args, { from: 'user' });
    return [String(process.exitCode), ...written];
  }

  it('reads config.yaml', async () => {
    const [code, stdout, stderr] = await run([]);
    expect([code, stderr]).toEqual(['0', '']);
    expect(stdout).toMatch(/^listen: 127\.0\.0\.1:5000\n/);
  });

  it('reads the file that --config names, before the one that the environment names', async () => {
    const [code, stdout, stderr] = await run(['--config', 'broken.yaml'], { LARDER_CONFIG: 'open.yaml' });
    expect([code, stdout]).toEqual(['2', '']);
    expect(stderr?.trimEnd().split('\n')).toHaveLength(3);
  });

  it('reads the file that the environment names', async () => {
    const [code, , stderr] = await run([], { LARDER_CONFIG: 'absent.yaml' });
    expect([code, stderr]).toEqual([
      '2',
      'absent.yaml: expected a configuration file, got an error (ENOENT); --config or LARDER_CONFIG name another\n',
    ]);
  });
});
