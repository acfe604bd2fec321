import { describe, expect, it } from 'vitest';
import type { ConfigSources } from './source/config-sources.ts';
import type { Config, UpstreamConfig } from './config.ts';
import { loadConfig } from './load.ts';
import { ConfigError } from './config-problem.ts';

/** A self-signed certificate made for this test; its key is not kept. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUVT1SOFn6PZlHlmY58XaGTtkDLJYwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWRXhhbXBsZSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjEwNDAx
MTVaGA8yMTI2MTAyODA0MDExNVowITEfMB0GA1UEAwwWRXhhbXBsZSB0ZXN0IGF1
dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBiawwWXp8NaC75cDYhW
+5RhLK2k2g2nMvU9lvqzK2O5UYQGAIr1k4vVSuSccgW+cKXE9FOZM9YP2/7RqbkO
wMqjUzBRMB0GA1UdDgQWBBQ7btsTFzbVMjb8bpHYms+Ztbk30DAfBgNVHSMEGDAW
gBQ7btsTFzbVMjb8bpHYms+Ztbk30DAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0gAMEUCIQDbb6tIFXkQIzGKZauzkay4Vzyb0lLqEGXcSOT6BydRwAIgYEkK
5g768cxTnMG8oLIrC0CgeaHlTv+34Ni+OeKy9gg=
-----END CERTIFICATE-----
`;

const FILES: Readonly<Record<string, string>> = {
  '/etc/larder/ca.pem': CERTIFICATE,
  '/etc/larder/proxy-password': 'secret\n',
  '/etc/larder/password': 'secret',
  '/etc/larder/token': 'secret',
  '/home/me/.docker/config.json': '{}',
};

function sourcesOf(text: string, env: ConfigSources['env'] = {}): ConfigSources {
  const files: Readonly<Record<string, string>> = { ...FILES, '/etc/larder/config.yaml': text };
  return {
    env,
    cwd: '/etc/larder',
    home: '/home/me',
    readText(path) {
      const found = files[path];
      if (found === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
      return found;
    },
    isProgram: () => true,
  };
}

function load(text: string, env: ConfigSources['env'] = {}): Config {
  return loadConfig('config.yaml', sourcesOf(text, env));
}

function upstreamOf(text: string, env: ConfigSources['env'] = {}): UpstreamConfig {
  const upstream = load(`defaultUpstream: ghcr.io\nupstreams:\n${text}`, env).upstreams.at(-1);
  if (upstream === undefined) throw new Error('no upstream');
  return upstream;
}

describe('a file without mistakes', () => {
  it('may be empty: everything has a default', () => {
    expect(load('')).toEqual({
      listen: { host: '127.0.0.1', port: 5000 },
      cache: {
        directory: '/etc/larder/cache',
        maxSize: 50 * 1024 ** 3,
        minFree: 2 * 1024 ** 3,
        quarantine: 1024 ** 3,
        manifestMemory: 64 * 1024 ** 2,
        blobMemory: 32 * 1024 ** 2,
        unusedForMs: undefined,
        verifyEveryMs: undefined,
        verifyRate: 20 * 1024 ** 2,
      },
      tags: {
        ttlMs: 300_000,
        staleForMs: 30 * 86_400_000,
        deadlineMs: 2000,
        immutable: [],
        onDeleted: 'drop',
        quotaReserve: 10,
      },
      negativeTtlMs: 30_000,
      offline: false,
      access: undefined,
      defaultUpstream: 'docker.io',
      upstreams: [
        {
          name: 'docker.io',
          url: new URL('https://registry-1.docker.io'),
          aliases: ['index.docker.io', 'registry-1.docker.io'],
          hosts: [],
          addLibrary: true,
          credentials: undefined,
          ca: undefined,
          caFile: undefined,
          proxy: undefined,
          tags: {
            ttlMs: 300_000,
            staleForMs: 30 * 86_400_000,
            deadlineMs: 2000,
            immutable: [],
            onDeleted: 'drop',
            quotaReserve: 10,
          },
          allow: ['**'],
          deny: [],
          trustedRealms: [],
          allowPrivateNetworks: false,
          checksReferences: false,
          timeouts: { connectMs: 5000, headersMs: 15_000, bodyMs: 30_000 },
        },
      ],
      proxies: { http: undefined, https: undefined, noProxy: [] },
      warm: [],
      timeouts: { connectMs: 5000, headersMs: 15_000, bodyMs: 30_000 },
      answerMs: 25_000,
      trustedProxies: [],
      limits: {
        requests: 4096,
        requestsPerClient: 512,
        connections: 16_384,
        connectionsPerClient: 2048,
        headerTimeoutMs: 15_000,
        idleTimeoutMs: 60_000,
        upstreamConnections: 64,
      },
      delivery: 'auto',
      drainDelayMs: 5000,
      drainMs: 25_000,
      log: { level: 'info', format: 'auto' },
    });
  });

  it('may set every key', () => {
    const config = load(`
listen: "[::1]:0"
cache:
  directory: /var/lib/larder
  maxSize: unlimited
  minFree: 0
  quarantine: 0
  manifestMemory: 1MiB
  blobMemory: 0
  unusedFor: 90d
  verifyEvery: 30d
  verifyRate: 1MiB
tags: { ttl: 1m, staleFor: 0s, deadline: 500ms, immutable: ["v*"], onDeleted: keep, quotaReserve: 0 }
negativeTtl: 0s
offline: true
access:
  anonymous: [pull]
  users: ./users.htpasswd
  groups: { platform: ["user:alice", "serviceaccount:ci/*"] }
  oidc:
    github:
      issuer: https://token.example/
      audience: mirror.example
      claims: { repository_owner: acme, repository_owner_id: 7 }
      groups: groups
      serviceAccounts: true
      jwksUrl: http://localhost:8080/keys?a=b
      ca: ca.pem
      tokenFile: ./token
  rules:
    - { repositories: ["*/team/**"], who: ["group:platform", "oidc:github"], allow: [pull, tags] }
publicUrl: https://Mirror.example:8443
defaultUpstream: registry.example.internal
upstreams:
  registry.example.internal:
    url: http://registry.example.internal:5080/prefix/
    aliases: [Images.example.internal]
    hosts: [internal.mirror.example, "mirror:5000"]
    ca: ./ca.pem
    proxy: http://proxy.internal:3128
    proxyCredentials: { username: me, passwordFile: proxy-password }
    tags: { ttl: 2h }
    allow: ["team/**"]
    deny: ["team/secret/**"]
    trustedRealms: [login.example.com]
    allowPrivateNetworks: true
    checksReferences: true
    timeouts: { headers: 20s }
warm:
  - { every: 6h, refs: [debian:12, ghcr.io/acme/app, debian:12], platforms: [linux/arm/v7], referrers: true }
  - { every: 1m, refs: [alpine], tags: { semver: '>=3 <4', latest: 5 } }
timeouts: { connect: 1s, headers: 2s, body: 3s, answer: 9s }
trustedProxies: [unix, 10.0.0.2, "::ffff:10.0.0.2", 2001:DB8::/32]
limits:
  requests: 9
  requestsPerClient: 8
  connections: 11
  connectionsPerClient: 10
  headerTimeout: 1s
  idleTimeout: 2s
  upstreamConnections: 7
delivery: read
drainDelay: 1s
drain: 0s
log: { level: debug, format: json }
`);
    expect(config).toEqual({
      listen: { host: '::1', port: 0 },
      cache: {
        directory: '/var/lib/larder',
        maxSize: undefined,
        minFree: 0,
        quarantine: 0,
        manifestMemory: 1024 ** 2,
        blobMemory: 0,
        unusedForMs: 90 * 86_400_000,
        verifyEveryMs: 30 * 86_400_000,
        verifyRate: 1024 ** 2,
      },
      tags: {
        ttlMs: 60_000,
        staleForMs: 0,
        deadlineMs: 500,
        immutable: ['v*'],
        onDeleted: 'keep',
        quotaReserve: 0,
      },
      negativeTtlMs: 0,
      offline: true,
      access: {
        anonymous: ['pull'],
        users: '/etc/larder/users.htpasswd',
        groups: {
          platform: [
            { kind: 'user', name: 'alice' },
            { kind: 'serviceaccount', namespace: 'ci', name: '*' },
          ],
        },
        oidc: {
          github: {
            issuer: 'https://token.example/',
            audience: ['mirror.example'],
            claims: { repository_owner: 'acme', repository_owner_id: '7' },
            groups: 'groups',
            serviceAccounts: true,
            jwksUrl: new URL('http://localhost:8080/keys?a=b'),
            ca: '/etc/larder/ca.pem',
            tokenFile: '/etc/larder/token',
          },
        },
        rules: [
          {
            repositories: ['*/team/**'],
            who: [
              { kind: 'group', name: 'platform' },
              { kind: 'oidc', issuer: 'github', subject: '*' },
            ],
            allow: ['pull', 'tags'],
          },
        ],
      },
      publicUrl: new URL('https://mirror.example:8443'),
      defaultUpstream: 'registry.example.internal',
      upstreams: [
        {
          name: 'registry.example.internal',
          url: new URL('http://registry.example.internal:5080/prefix'),
          aliases: ['images.example.internal'],
          hosts: ['internal.mirror.example', 'mirror:5000'],
          addLibrary: false,
          credentials: undefined,
          ca: CERTIFICATE,
          caFile: '/etc/larder/ca.pem',
          proxy: {
            url: new URL('http://proxy.internal:3128'),
            credentials: { kind: 'password-file', username: 'me', path: '/etc/larder/proxy-password' },
          },
          tags: {
            ttlMs: 7_200_000,
            staleForMs: 0,
            deadlineMs: 500,
            immutable: ['v*'],
            onDeleted: 'keep',
            quotaReserve: 0,
          },
          allow: ['team/**'],
          deny: ['team/secret/**'],
          trustedRealms: ['login.example.com'],
          allowPrivateNetworks: true,
          checksReferences: true,
          timeouts: { connectMs: 1000, headersMs: 20_000, bodyMs: 3000 },
        },
      ],
      proxies: { http: undefined, https: undefined, noProxy: [] },
      warm: [
        {
          everyMs: 21_600_000,
          refs: ['debian:12', 'ghcr.io/acme/app'],
          platforms: ['linux/arm/v7'],
          referrers: true,
        },
        {
          everyMs: 60_000,
          refs: ['alpine'],
          tags: { semver: '>=3 <4', latest: 5 },
          platforms: [],
          referrers: false,
        },
      ],
      timeouts: { connectMs: 1000, headersMs: 2000, bodyMs: 3000 },
      answerMs: 9000,
      trustedProxies: ['unix', '10.0.0.2/32', '2001:db8::/32'],
      limits: {
        requests: 9,
        requestsPerClient: 8,
        connections: 11,
        connectionsPerClient: 10,
        headerTimeoutMs: 1000,
        idleTimeoutMs: 2000,
        upstreamConnections: 7,
      },
      delivery: 'read',
      drainDelayMs: 1000,
      drainMs: 0,
      log: { level: 'debug', format: 'json' },
    });
  });

  it('may hold variables unquoted in flow maps', () => {
    const { upstreams } = load(
      `listen: 127.0.0.1:5000
access: { anonymous: pull } # for everybody
upstreams:
  docker.io: {}
  ghcr.io:
    credentials: { username: bot, password: \${GHCR_TOKEN} } # of the bot
`,
      { GHCR_TOKEN: 'a, b: {c}' },
    );
    expect(upstreams[1]?.credentials).toEqual({ kind: 'password', username: 'bot', password: 'a, b: {c}' });
  });

  it('may name a proxy by its URL or by the environment, or none', () => {
    const upstreams =
      'docker.io: { proxy: "http://me:p%40ss@p:1" }\n  ghcr.io: { proxy: none }\n  quay.io: {}';
    const config = load(`upstreams:\n  ${upstreams}`, {
      https_proxy: 'http://q:2',
      NO_PROXY: 'a.example, b',
    });
    expect(config.upstreams.map(({ proxy }) => proxy)).toEqual([
      { url: new URL('http://p:1'), credentials: { kind: 'password', username: 'me', password: 'p@ss' } },
      'none',
      undefined,
    ]);
    expect(config.proxies).toEqual({
      http: undefined,
      https: { url: new URL('http://q:2') },
      noProxy: ['a.example', 'b'],
    });
  });

  it('may have the account of a proxy in the environment', () => {
    const account = '{ username: "${U}", password: "${P}" }';
    const { upstreams } = load(
      `upstreams: { docker.io: { proxy: "http://p:1", proxyCredentials: ${account} } }`,
      {
        U: 'me',
        P: 'p:@/',
      },
    );
    expect(upstreams[0]?.proxy).toEqual({
      url: new URL('http://p:1'),
      credentials: { kind: 'password', username: 'me', password: 'p:@/' },
    });
  });

  it('may leave a map empty, as it is when all its keys are commented out', () => {
    const text = 'cache:\ntags:\nlog:\ntimeouts:\nupstreams:\n  docker.io:\n    tags:\n    timeouts:\n';
    expect(load(text)).toEqual(load(''));
  });

  it('may use anchors and aliases', () => {
    const text =
      'upstreams:\n  docker.io: { credentials: &me { username: me, password: "${P}" } }\n  quay.io: { credentials: *me }';
    const credentials = { kind: 'password', username: 'me', password: 'x${P}' };
    const { upstreams } = load(text, { P: 'x${P}' });
    expect(upstreams.map((upstream) => upstream.credentials)).toEqual([credentials, credentials]);
  });

  it('may name the default upstream by an alias', () => {
    expect(load('defaultUpstream: index.docker.io').defaultUpstream).toBe('docker.io');
    const text =
      'defaultUpstream: hub.example\nupstreams:\n  registry.example:\n    url: https://a.example\n    aliases: [hub.example]';
    expect(load(text).defaultUpstream).toBe('registry.example');
  });

  it('may replace what is known of a registry, and adds to its names and realms', () => {
    const hub = load(
      'upstreams: { docker.io: { url: https://hub.example, aliases: [hub.example, docker.io], trustedRealms: [a.example] } }',
    ).upstreams[0];
    expect(hub?.url.href).toBe('https://hub.example/');
    expect(hub?.aliases).toEqual(['index.docker.io', 'registry-1.docker.io', 'hub.example']);
    expect(hub?.addLibrary).toBe(true);
    expect(upstreamOf('  ghcr.io:\n  nvcr.io: { trustedRealms: [a.example] }').trustedRealms).toEqual([
      'authn.nvidia.com',
      'a.example',
    ]);
  });

  it('may have Windows line ends and a byte order mark', () => {
    expect(load('\uFEFFoffline: true\r\ndrain: 5s\r\n')).toMatchObject({ offline: true, drainMs: 5000 });
  });
});

describe('credentials', () => {
  it.each([
    ['{ username: me, password: pw }', { kind: 'password', username: 'me', password: 'pw' }],
    ['{ username: me, password: ${PW} }', { kind: 'password', username: 'me', password: 'p"w: }' }],
    [
      '{ username: "${WHO}", password: "a${PW}b" }',
      { kind: 'password', username: 'me', password: 'ap"w: }b' },
    ],
    [
      '{ username: $oauthtoken, password: "$${PW} $$ $x" }',
      { kind: 'password', username: '$oauthtoken', password: '${PW} $$ $x' },
    ],
    [
      '{ username: me, passwordFile: ./password }',
      { kind: 'password-file', username: 'me', path: '/etc/larder/password' },
    ],
    ['{ token: ${PW} }', { kind: 'identity-token', token: 'p"w: }' }],
    [
      '{ dockerConfig: ~/.docker/config.json }',
      { kind: 'docker-config', path: '/home/me/.docker/config.json' },
    ],
    ['{ helper: docker-credential-ecr-login }', { kind: 'helper', program: 'docker-credential-ecr-login' }],
    [
      '{ helper: ./bin/docker-credential-x }',
      { kind: 'helper', program: '/etc/larder/bin/docker-credential-x' },
    ],
  ])('%s', (text, credentials) => {
    const upstream = upstreamOf(`  ghcr.io:\n    credentials: ${text}\n`, { PW: 'p"w: }', WHO: 'me' });
    expect(upstream.credentials).toEqual(credentials);
  });
});

describe('the environment', () => {
  it('replaces the address and the cache directory', () => {
    const env = { LARDER_LISTEN: ':6000', LARDER_CACHE_DIRECTORY: './elsewhere' };
    const config = loadConfig('larder/config.yaml', {
      ...sourcesOf('listen: 127.0.0.1:1', env),
      cwd: '/etc',
    });
    expect(config.listen).toEqual({ host: undefined, port: 6000 });
    expect(config.cache.directory).toBe('/etc/elsewhere');
  });

  it('replaces nothing where a variable is empty', () => {
    expect(load('', { LARDER_LISTEN: '', LARDER_CACHE_DIRECTORY: '' })).toEqual(load(''));
  });
});

describe('paths', () => {
  it('start from the folder of the file, wherever the process runs', () => {
    const sources = {
      ...sourcesOf('cache: { directory: ./c }\nupstreams: { docker.io: { ca: ca.pem } }'),
      cwd: '/',
    };
    const config = loadConfig('etc/larder/config.yaml', sources);
    expect(config.cache.directory).toBe('/etc/larder/c');
    expect(config.upstreams[0]?.caFile).toBe('/etc/larder/ca.pem');
  });

  it('start from the home folder with ~/', () => {
    expect(load('cache: { directory: ~/larder }').cache.directory).toBe('/home/me/larder');
  });
});

describe('a file that is missing', () => {
  it('is an error that says how to name another', () => {
    const open = (): Config => loadConfig('absent.yaml', sourcesOf(''));
    expect(open).toThrow(
      new ConfigError([
        'absent.yaml: expected a configuration file, got an error (ENOENT); --config or LARDER_CONFIG name another',
      ]),
    );
  });
});
