import { describe, expect, test } from 'vitest';
import type { Config } from '../../../config/config.ts';
import { loadConfig } from '../../../config/load.ts';
import { createCertificateAuthority } from '../../../../test/support/tls.ts';
import { startBlock, type StartState } from './start-block.ts';

const STATE: StartState = {
  version: '1.2.3',
  address: { host: '127.0.0.1', port: 5000 },
  blobs: 0,
  bytes: 0,
};

const { cert, key } = createCertificateAuthority().issue(['localhost']);
const FILES: Readonly<Record<string, string>> = { '/srv/cert.pem': cert, '/srv/key.pem': key };

function configOf(text: string): Config {
  return loadConfig('config.yaml', {
    env: {},
    cwd: '/srv',
    home: '/root',
    readText: (path) => FILES[path] ?? text,
    isProgram: () => false,
  });
}

/** Returns the rows of the block by their labels. */
function rows(state: Partial<StartState> = {}, text = ''): Readonly<Record<string, string>> {
  const block = startBlock(configOf(text), { ...STATE, ...state });
  const lines = block.trimEnd().split('\n').slice(1);
  return Object.fromEntries(lines.map((line) => [line.slice(2, 12).trim(), line.slice(13)]));
}

/** The state of a server that listens on port 5000 of an address. */
function at(host: string): Partial<StartState> {
  return { address: { host, port: 5000 } };
}

test('the start block names the program and ends with a line end', () => {
  const block = startBlock(configOf(''), STATE);
  expect(block).toMatch(/^larder 1\.2\.3\n/);
  expect(block).toMatch(/[^\n]\n$/);
  expect(Object.keys(rows())).toEqual(['listening', 'cache', 'upstreams', 'access', 'docker']);
});

describe('the address', () => {
  test.each([
    ['127.0.0.1', 'http://127.0.0.1:5000'],
    ['192.0.2.7', 'http://192.0.2.7:5000'],
    ['::1', 'http://[::1]:5000'],
    ['2001:db8::7', 'http://[2001:db8::7]:5000'],
  ])('%s can be copied', (host, url) => {
    expect(rows(at(host))).toMatchObject({ listening: url });
    expect(new URL(url).port).toBe('5000');
  });

  test.each(['0.0.0.0', '::'])(
    '%s is shown as an address that can be opened, with a note that there are more',
    (host) => {
      const { listening, docker } = rows(at(host));
      expect(listening).toMatch(/^http:\/\/localhost:5000, .*every/);
      expect(docker).toContain('"http://localhost:5000"');
    },
  );
});

test('https is shown once there is a certificate', () => {
  const { listening, docker } = rows({}, 'tls: { cert: cert.pem, key: key.pem }');
  expect(listening).toBe('https://127.0.0.1:5000');
  expect(docker).toContain('"https://127.0.0.1:5000"');
});

test('a Unix socket is shown as the configuration names it, and Docker is not told of it', () => {
  const { listening, docker } = rows({ address: { path: '/run/larder.sock' } });
  expect(listening).toBe('unix:/run/larder.sock');
  expect(docker).not.toContain('larder.sock');
});

test.each(['127.0.0.1', '::1', '::'])(
  'the line for Docker is the JSON that daemon.json takes: %s',
  (host) => {
    const [, json = ''] =
      /^(\{.*\}) {2}in \/etc\/docker\/daemon\.json$/.exec(rows(at(host))['docker'] ?? '') ?? [];
    const { 'registry-mirrors': mirrors } = JSON.parse(json) as { 'registry-mirrors': string[] };
    expect(mirrors).toHaveLength(1);
    expect(new URL(mirrors[0] ?? '').protocol).toBe('http:');
  },
);

describe('the cache', () => {
  test('its directory, its size and its cap are shown', () => {
    const text = 'cache: { directory: ./images, maxSize: 20GB }';
    expect(rows({ blobs: 1234, bytes: 5 * 1024 ** 3 }, text)['cache']).toBe(
      '/srv/images (1234 blobs, 5.00 GiB of 20GB)',
    );
  });

  test('is shown without a cap if there is none', () => {
    expect(rows({}, 'cache: { maxSize: unlimited }')['cache']).toBe('/srv/cache (0 blobs, 0 B, unlimited)');
  });
});

describe('the upstreams', () => {
  test('are all shown, and which is the default', () => {
    const text = 'upstreams: { docker.io: {}, ghcr.io: {}, quay.io: {} }\ndefaultUpstream: ghcr.io';
    expect(rows({}, text)['upstreams']).toBe('docker.io, ghcr.io (default), quay.io');
  });

  test('are shown as offline', () => {
    expect(rows({}, 'offline: true')['upstreams']).toMatch(/^docker\.io \(default\); offline/);
  });

  test('are shown without secrets', () => {
    const text = 'upstreams: { docker.io: { credentials: { username: bot, password: hunter2 } } }';
    expect(startBlock(configOf(text), STATE)).not.toMatch(/hunter2|bot/);
  });
});

describe('how open it is', () => {
  const RULES = `access:
  users: ./users
  oidc: { github: { issuer: "https://a.example", audience: b }, ci: { issuer: "https://b.example", audience: b } }
  rules:
    - { repositories: ["ghcr.io/**"], who: [authenticated], allow: [pull] }
    - { repositories: ["ghcr.io/**"], who: [anonymous], allow: [] }
upstreams: { docker.io: , ghcr.io: }
`;

  test.each([
    ['', 'open: every client may pull everything'],
    ['access: { anonymous: pull }', 'open: every client may pull everything'],
    ['access: { anonymous: [metrics] }', 'closed: 0 rules; else every client: metrics'],
    ['access: { rules: [{ repositories: ["**"], who: ["token:ci"], allow: [pull] }] }', 'closed: 1 rule'],
    [RULES, 'closed: 2 rules; users from /srv/users; tokens of github, ci'],
    [
      RULES.replace('access:', 'access:\n  anonymous: pull'),
      'closed: 2 rules; users from /srv/users; tokens of github, ci; else every client: pull, tags',
    ],
  ])('%s', (text, line) => {
    expect(rows({}, text)['access']).toBe(line);
  });

  test.each([
    [
      'upstreams: { docker.io: , ghcr.io: { credentials: { token: x } } }',
      'open: every client may pull everything with the credentials of ghcr.io',
    ],
    [
      RULES.replace('ghcr.io: }', 'ghcr.io: { credentials: { token: x } } }'),
      'closed: 2 rules; users from /srv/users; tokens of github, ci',
    ],
    [
      `upstreams: { docker.io: , ghcr.io: { credentials: { token: x } }, quay.io: }
access:
  anonymous: pull
  rules:
    - { repositories: ["ghcr.io/**"], who: ["token:ci"], allow: [pull] }
    - { repositories: ["quay.io/**"], who: [anonymous], allow: [] }`,
      'closed: 2 rules; else every client: pull, tags; every client may pull with the credentials of ghcr.io',
    ],
  ])('with credentials: %s', (text, line) => {
    expect(rows({}, text)['access']).toBe(line);
  });

  test('Docker is sent to the path of Docker Hub where the root asks for credentials', () => {
    const text = RULES.replace('access:', 'access:\n  anonymous: pull');
    expect(rows({}, text)['docker']).toContain('["http://127.0.0.1:5000/docker.io"]');
  });

  test('older versions of Docker are sent to the names that stand for Docker Hub, where there are any', () => {
    const open = RULES.replace('access:', 'access:\n  anonymous: pull');
    const named = open.replace('docker.io: ,', 'docker.io: { hosts: [hub.mirror.example] },');
    expect(rows({}, named)['docker']).toMatch(/; for older ones .*by the name hub\.mirror\.example \(/);
    expect(rows({}, open)['docker']).not.toContain('older');
    expect(rows({}, 'upstreams: { docker.io: { hosts: [hub.mirror.example] } }')['docker']).not.toContain(
      'hub.',
    );
  });

  test('Docker is sent nowhere where Docker Hub is closed', () => {
    expect(rows({}, RULES)['docker']).toMatch(/^not by registry-mirrors/);
  });
});
