import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';
import { ConfigError } from './config-problem.ts';
import { refusalToListen } from './listen-refusal.ts';

function refusal(text: string, env: Readonly<Record<string, string>> = {}): string | undefined {
  const sources = {
    env,
    cwd: '/etc/larder',
    home: '/home/me',
    readText: () => text,
    isProgram: () => true,
  };
  try {
    loadConfig('config.yaml', sources, (config, { overrides }) => refusalToListen(config, overrides));
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

const PRIVATE =
  'upstreams: { docker.io: , ghcr.io: { credentials: { token: x } }, quay.io: { credentials: { token: x } } }';

const EXAMPLE = `access:
  users: ./users.htpasswd
  rules:
    - { repositories: ["ghcr.io/**", "quay.io/**"], who: [authenticated], allow: [pull, tags] }
    - { repositories: ["ghcr.io/**", "quay.io/**"], who: [anonymous], allow: [] }
  anonymous: pull`;

describe('refusalToListen', () => {
  it.each(['127.0.0.1:5000', '127.9.9.9:0', '"[::1]:5000"', 'localhost:5000', 'unix:/run/larder.sock'])(
    'allows %s, which only this machine reaches',
    (listen) => {
      expect(refusal(`listen: ${listen}\n${PRIVATE}`)).toBeUndefined();
    },
  );

  it.each([':5000', '0.0.0.0:5000', '"[::]:5000"', '10.0.0.1:5000', 'mirror.example:5000'])(
    'refuses %s with credentials',
    (listen) => {
      expect(refusal(`offline: true\nlisten: ${listen}\n${PRIVATE}`)).toBe(
        `config.yaml:2: listen: refused to listen on ${listen.replaceAll('"', '')}, which other machines can reach: any ` +
          'client could pull private images with the credentials of ghcr.io and quay.io; listen on 127.0.0.1, or say who ' +
          'may pull, for example by these lines ("larder passwd NAME" makes the file and adds a user):\n' +
          EXAMPLE,
      );
    },
  );

  it('names the first credentials if the environment sets the address, whatever the file says', () => {
    const text =
      'listen: 127.0.0.1:5000\nupstreams:\n  docker.io:\n  ghcr.io:\n    credentials: { token: x }\n';
    expect(refusal(text, { LARDER_LISTEN: ':80' })).toMatch(
      /^config\.yaml:5: upstreams\."ghcr\.io"\.credentials: refused to listen on :80, as LARDER_LISTEN says, which other /,
    );
  });

  it('allows an address of the environment that is closer than the file’s', () => {
    expect(refusal(`listen: :5000\n${PRIVATE}`, { LARDER_LISTEN: '127.0.0.1:5000' })).toBeUndefined();
  });

  it.each([
    '{ username: a, password: b }',
    '{ username: a, passwordFile: b }',
    '{ token: a }',
    '{ dockerConfig: a }',
    '{ helper: docker-credential-a }',
  ])('counts %s as credentials', (credentials) => {
    expect(refusal(`listen: :1\nupstreams: { docker.io: { credentials: ${credentials} } }`)).toContain(
      'docker.io',
    );
  });

  it('allows every address without credentials', () => {
    expect(refusal('listen: :5000')).toBeUndefined();
  });

  it('leaves out what is open where no registry is', () => {
    const message = refusal('listen: :1\nupstreams: { docker.io: { credentials: { token: a } } }');
    expect(message).toMatch(/who: \[authenticated\], allow: \[pull, tags\] \}$/);
    expect(message).not.toContain('anonymous');
  });

  it.each([PRIVATE, 'upstreams: { docker.io: { credentials: { token: a } } }'])(
    'shows lines that help: %s',
    (upstreams) => {
      const text = `listen: :5000\n${upstreams}\n`;
      const lines = refusal(text)?.split('\n').slice(1).join('\n');
      expect(refusal(`${text}${lines}`)).toBeUndefined();
    },
  );

  it.each([
    'access: { anonymous: pull }',
    'access: { rules: [{ repositories: ["**"], who: ["token:ci"], allow: [pull] }] }',
  ])('allows every address if the config says who may pull: %s', (access) => {
    expect(refusal(`listen: :5000\n${access}\n${PRIVATE}`)).toBeUndefined();
  });
});
