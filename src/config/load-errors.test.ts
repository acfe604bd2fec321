import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ConfigSources } from './source/config-sources.ts';
import { loadConfig } from './load.ts';
import { createCertificateAuthority } from '../../test/support/tls.ts';
import { ConfigError } from './config-problem.ts';

const AUTHORITY = createCertificateAuthority();
const PAIR = AUTHORITY.issue(['localhost']);
const { privateKey: locked } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
});

const FILES: Readonly<Record<string, string>> = {
  '/etc/larder/tls.crt': PAIR.cert,
  '/etc/larder/tls.key': PAIR.key,
  '/etc/larder/other.key': AUTHORITY.issue(['localhost']).key,
  '/etc/larder/locked.key': locked,
  '/etc/larder/not-a-ca.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  '/etc/larder/empty.pem': '',
};

function linesOf(text: string, env: ConfigSources['env'] = {}): readonly string[] {
  const files: Readonly<Record<string, string>> = { ...FILES, '/etc/larder/config.yaml': text };
  const readText = (path: string): string => {
    const found = files[path];
    if (found === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return found;
  };
  try {
    loadConfig('config.yaml', {
      env: { PATH: '/bin:/usr/bin', ...env },
      cwd: '/etc/larder',
      home: '/home/me',
      readText,
      isProgram: (path) => path === '/usr/bin/docker-credential-there',
    });
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

const DURATION = 'expected a duration such as 90s, 5m, 12h or 30d';
const NETWORK = 'expected an address or a network such as 10.0.0.2 or 10.0.0.0/8';
const FORMS = 'password, passwordFile, token, dockerConfig or helper';

/** The mistake, the file, and all messages about it, without the file's name. */
const BROKEN: readonly (readonly [title: string, file: string, lines: readonly string[]])[] = [
  [
    'three mistakes, three lines, in the order of the file',
    'listen: 5000\ncache:\n  maxsize: 1GiB\nupstreams:\n  docker.io:\n  ghcr.io:\n    tags:\n      ttl: 5 minutes\n',
    [
      '1: listen: expected an address such as 127.0.0.1:5000, got 5000',
      '3: cache.maxsize: unknown key, did you mean maxSize?',
      `8: upstreams."ghcr.io".tags.ttl: ${DURATION}, got "5 minutes"`,
    ],
  ],
  ['a list for a file', '- listen', ['1: expected a map of keys and values, got a list']],
  ['a word for a file', '\nlisten', ['2: expected a map of keys and values, got "listen"']],
  [
    'an unknown key that resembles none',
    'log: { colour: red }',
    ['1: log.colour: unknown key, expected level or format'],
  ],
  [
    'a key named like an inherited one',
    '__proto__: { a: 1 }\nconstructor: 1',
    ['1: __proto__: unknown key, expected @@KEYS@@', '2: constructor: unknown key, expected @@KEYS@@'],
  ],
  ['a word for a map', 'cache: ./cache', ['1: cache: expected a map of keys and values, got "./cache"']],
  [
    'a list for a map',
    'upstreams: [ghcr.io]',
    ['1: upstreams: expected a map of keys and values, got a list'],
  ],
  ['a word for a list', 'tags: { immutable: v* }', ['1: tags.immutable: expected a list, got "v*"']],
  [
    'an empty list of repositories',
    'upstreams: { docker.io: { allow: } }',
    ['1: upstreams."docker.io".allow: expected a list, got nothing'],
  ],
  ['a word for true', 'offline: yes', ['1: offline: expected true or false, got "yes"']],
  [
    'a wrong choice',
    'tags:\n  onDeleted: delete\nlog: { level: loud }',
    [
      '2: tags.onDeleted: expected drop or keep, got "delete"',
      '3: log.level: expected trace, debug, info, warn, error or silent, got "loud"',
    ],
  ],
  [
    'access of another kind',
    'access: { anonymous: push }',
    ['1: access.anonymous: expected pull, or a list of pull, tags or metrics, got "push"'],
  ],
  [
    'access misspelt',
    'access: { anonymus: pull }',
    ['1: access.anonymus: unknown key, did you mean anonymous?'],
  ],
  [
    'durations',
    'negativeTtl: 30\ndrain: 2d\ntags: { ttl: never, deadline: -1s }\ntimeouts: { connect: 0s, body: }',
    [
      `1: negativeTtl: ${DURATION}, got 30`,
      '2: drain: expected a duration from 0s to 1d, got "2d"',
      `3: tags.ttl: ${DURATION}, got "never"`,
      `3: tags.deadline: ${DURATION}, got "-1s"`,
      '4: timeouts.connect: expected a duration from 1ms to 1d, got "0s"',
      '4: timeouts.body: expected a duration such as 90s or 5m, got nothing',
    ],
  ],
  [
    'proxies that are believed',
    'offline: true\ntrustedProxies:\n  - 10.0.0.0/8\n  - proxy.example\n  - 0.0.0.0/0\n  - 10.0.0.1:80',
    [
      `4: trustedProxies[1]: ${NETWORK}, got "proxy.example"`,
      `5: trustedProxies[2]: ${NETWORK}, not of every address, got "0.0.0.0/0"`,
      `6: trustedProxies[3]: ${NETWORK}, got "10.0.0.1:80"`,
    ],
  ],
  [
    'proxies not in a list',
    'trustedProxies: 10.0.0.1',
    ['1: trustedProxies: expected a list, got "10.0.0.1"'],
  ],
  [
    'sizes',
    'cache:\n  maxSize: 0\n  minFree: 2G\n  manifestMemory: 1kB\n  unusedFor: forever\n  verifyEvery: 1\n  verifyRate: 0',
    [
      '2: cache.maxSize: expected a size of at least 1, or unlimited, got 0',
      '3: cache.minFree: expected a size such as 512MiB, 50GB or 1024, got "2G"',
      '4: cache.manifestMemory: expected a size of at least 1MiB, got "1kB"',
      `5: cache.unusedFor: ${DURATION}, got "forever"`,
      '6: cache.verifyEvery: expected a duration such as 12h or 30d, or never, got 1',
      '7: cache.verifyRate: expected a size of at least 1, got 0',
    ],
  ],
  [
    'plans of what is warmed',
    'warm:\n  - { every: 59s, refs: [Debian, 5] }\n  - { every: 1h, refs: [a], platforms: [amd64] }\n  - refs: [a]',
    [
      '2: warm[0].every: expected a duration from 1m, got "59s"',
      '2: warm[0].refs[0]: expected the name of an image, such as debian:12 or ghcr.io/acme/app, got "Debian"',
      '2: warm[0].refs[1]: expected the name of an image, such as debian:12 or ghcr.io/acme/app, got 5',
      '3: warm[1].platforms[0]: expected a platform such as linux/amd64 or linux/arm/v7, got "amd64"',
      `4: warm[2].every: ${DURATION}, got nothing`,
    ],
  ],
  [
    'a size that is none',
    'cache: { maxSize: , minFree: [] }',
    [
      '1: cache.maxSize: expected a size such as 512MiB or 50GB, or unlimited, got nothing',
      '1: cache.minFree: expected a size such as 512MiB, 50GB or 1024, got a list',
    ],
  ],
  [
    'a variable outside credentials',
    'cache: { directory: ${HOME}/cache }',
    [
      '1: cache.directory: expected the path of a file or folder without variables, which only credentials may hold, got "${HOME}/cache"',
    ],
  ],
  [
    'globs',
    'upstreams:\n  docker.io:\n    allow:\n      - team/**\n      - "!team/a"\n      - 5\n    deny: ["[a"]',
    [
      '5: upstreams."docker.io".allow[1]: expected a glob that does not start with "!", got "!team/a"',
      '6: upstreams."docker.io".allow[2]: expected a glob such as library/* or team/**, got 5',
      '7: upstreams."docker.io".deny[0]: expected a glob such as library/* or team/**, its brackets in pairs, got "[a"',
    ],
  ],
  [
    'URLs, whose passwords stay hidden',
    'upstreams:\n  docker.io:\n    url: https://me:se/cret@hub.example\n    proxy: http://me:sec/ret@proxy:3128',
    [
      '3: upstreams."docker.io".url: expected a URL such as https://registry.example:5443, got "***@hub.example"',
      '4: upstreams."docker.io".proxy: expected a proxy whose user and password are percent-encoded, as in http://me:p%40ss@proxy.example:3128, got "***@proxy:3128"',
    ],
  ],
  [
    'proxies',
    'upstreams:\n  docker.io:\n    proxy: socks5://proxy:1080\n  ghcr.io:\n    proxy: [none]\n  quay.io:\n    proxy: http://proxy:3128/x',
    [
      '3: upstreams."docker.io".proxy: expected a proxy such as http://proxy.example:3128, without a path, got "socks5://proxy:1080"',
      '5: upstreams."ghcr.io".proxy: expected a proxy such as http://proxy.example:3128, or none, got a list',
      '7: upstreams."quay.io".proxy: expected a proxy such as http://proxy.example:3128, without a path, got "http://proxy:3128/x"',
    ],
  ],
  [
    'the account of a proxy, which stays hidden',
    'upstreams:\n  docker.io:\n    proxyCredentials: { username: me, password: secret }\n  ghcr.io:\n    proxy: http://me:secret@p:1\n    proxyCredentials: { username: me, password: secret }\n  quay.io:\n    proxy: http://p:1\n    proxyCredentials: { username: me }\n  gcr.io:\n    proxy: http://p:1\n    proxyCredentials: { username: me, passwordFile: missing, password: secret }\n  mcr.microsoft.com:\n    proxy: http://p:1\n    proxyCredentials: me:secret',
    [
      '3: upstreams."docker.io".proxyCredentials: expected the proxy that they are for, got no proxy',
      '6: upstreams."ghcr.io".proxyCredentials: expected user and password only here or only in proxy, got both',
      '9: upstreams."quay.io".proxyCredentials: expected password or passwordFile, got none',
      '12: upstreams."gcr.io".proxyCredentials: expected password or passwordFile, got both',
      '12: upstreams."gcr.io".proxyCredentials.passwordFile: expected a file that can be read, got an error (ENOENT)',
      '15: upstreams."mcr.microsoft.com".proxyCredentials: expected a map of keys and values, got other text',
    ],
  ],
  [
    'an unknown registry without url',
    'upstreams:\n  docker.io:\n  registry.example:\n    tags: { ttl: 1m }',
    ['3: upstreams."registry.example": expected url, since this is not a registry that Larder knows'],
  ],
  [
    'a registry misspelt',
    'upstreams:\n  docker.io:\n  gchr.io:',
    [
      '3: upstreams."gchr.io": expected url, since this is not a registry that Larder knows; did you mean ghcr.io?',
    ],
  ],
  [
    'url misspelt is one mistake',
    'upstreams:\n  docker.io:\n  registry.example:\n    ulr: https://registry.example',
    ['4: upstreams."registry.example".ulr: unknown key, did you mean url?'],
  ],
  [
    'names that are none',
    'upstreams:\n  docker.io:\n  GHCR.io:\n  library:\n  "*.pkg.dev":\n  https://quay.io:\n  __proto__:',
    [
      '3: upstreams."GHCR.io": expected a registry host in lower case: ghcr.io',
      '4: upstreams.library: expected a registry host such as ghcr.io or registry.example:5000',
      '5: upstreams."*.pkg.dev": expected a registry host such as ghcr.io or registry.example:5000',
      '6: upstreams."https://quay.io": expected a registry host such as ghcr.io or registry.example:5000',
      '7: upstreams.__proto__: expected a registry host such as ghcr.io or registry.example:5000',
    ],
  ],
  [
    'an alias for a name',
    'upstreams:\n  index.docker.io:',
    ['2: upstreams."index.docker.io": expected docker.io, of which this is another name'],
  ],
  [
    'mistakes inside an upstream with a wrong name',
    'upstreams:\n  docker.io:\n  Quay.io: { tags: { ttl: x } }',
    [
      '3: upstreams."Quay.io": expected a registry host in lower case: quay.io',
      `3: upstreams."Quay.io".tags.ttl: ${DURATION}, got "x"`,
    ],
  ],
  [
    'names and hosts of two upstreams',
    'upstreams:\n  quay.io: { aliases: [docker.io, a.example], hosts: [m, M] }\n  docker.io: { hosts: [m] }\n  ghcr.io:\n    aliases:\n      - A.example\n      - index.docker.io',
    [
      '2: upstreams."quay.io".aliases[0]: expected a name of one upstream only, "docker.io" belongs to docker.io',
      '3: upstreams."docker.io".hosts[0]: expected a host of one upstream only, "m" belongs to quay.io',
      '6: upstreams."ghcr.io".aliases[0]: expected a name of one upstream only, "a.example" belongs to quay.io',
      '7: upstreams."ghcr.io".aliases[1]: expected a name of one upstream only, "index.docker.io" belongs to docker.io',
    ],
  ],
  [
    'a default that is not an upstream',
    'defaultUpstream: quay.io\nupstreams:\n  docker.io:\n  ghcr.io:',
    ['1: defaultUpstream: expected one of the upstreams, docker.io or ghcr.io, got "quay.io"'],
  ],
  [
    'a default that is no host',
    'defaultUpstream: no host',
    ['1: defaultUpstream: expected a registry host such as ghcr.io or registry.example:5000, got "no host"'],
  ],
  [
    'the default default left out',
    'offline: true\nupstreams:\n  ghcr.io:',
    ['2: upstreams: expected docker.io among them, or a defaultUpstream that is'],
  ],
  [
    'no upstreams',
    'upstreams: {}',
    ['1: upstreams: expected docker.io among them, or a defaultUpstream that is'],
  ],
  [
    'a default among no upstreams',
    'defaultUpstream: ghcr.io\nupstreams: {}',
    ['1: defaultUpstream: expected upstreams to choose from, got "ghcr.io"'],
  ],
  [
    'upstreams misspelt are one mistake',
    'defaultUpstream: ghcr.io\nupstrems:\n  ghcr.io:',
    ['2: upstrems: unknown key, did you mean upstreams?'],
  ],
  [
    'hosts that are none',
    'upstreams:\n  docker.io:\n    hosts: [http://m]\n    aliases: [hub]\n    trustedRealms: [https://a/b]',
    [
      '3: upstreams."docker.io".hosts[0]: expected a host such as mirror.example or mirror.example:5000, got "http://m"',
      '4: upstreams."docker.io".aliases[0]: expected a registry host such as ghcr.io or registry.example:5000, got "hub"',
      '5: upstreams."docker.io".trustedRealms[0]: expected a host such as mirror.example or mirror.example:5000, got "https://a/b"',
    ],
  ],
  [
    'credentials of two forms',
    'upstreams:\n  docker.io:\n    credentials: { username: a, password: secret, token: secret }',
    [`3: upstreams."docker.io".credentials: expected only one of ${FORMS}, got password and token`],
  ],
  [
    'credentials of two forms beside other mistakes in them',
    'upstreams:\n  docker.io:\n    credentials: { username: a, password: "${NOPE}", helper: x }\n  ghcr.io:\n    credentials: { username: a, tokn: b, token: "" }\n  quay.io:\n    credentials: { password: 5 }',
    [
      `3: upstreams."docker.io".credentials: expected only one of ${FORMS}, got password and helper`,
      '3: upstreams."docker.io".credentials.password: expected the environment variable NOPE, which is not set',
      '3: upstreams."docker.io".credentials.helper: expected a program such as docker-credential-ecr-login, got other text',
      '5: upstreams."ghcr.io".credentials: expected no username beside token',
      '5: upstreams."ghcr.io".credentials.tokn: unknown key, did you mean token?',
      '5: upstreams."ghcr.io".credentials.token: expected text, in quotes if it looks like a number, got empty text',
      '7: upstreams."quay.io".credentials: expected username beside password, got nothing',
      '7: upstreams."quay.io".credentials.password: expected text, in quotes if it looks like a number, got a number',
    ],
  ],
  [
    'credentials of no form',
    'upstreams:\n  docker.io:\n    credentials: { username: a }',
    [`3: upstreams."docker.io".credentials: expected one of ${FORMS}, got none`],
  ],
  [
    'credentials that are empty',
    'upstreams:\n  docker.io:\n    credentials:',
    ['3: upstreams."docker.io".credentials: expected a map of keys and values, got nothing'],
  ],
  [
    'a password without user',
    'upstreams:\n  docker.io:\n    credentials: { password: secret }',
    ['3: upstreams."docker.io".credentials: expected username beside password, got nothing'],
  ],
  [
    'a token with user',
    'upstreams:\n  docker.io:\n    credentials: { token: secret, username: me }',
    ['3: upstreams."docker.io".credentials: expected no username beside token'],
  ],
  [
    'a key of credentials misspelt is one mistake',
    'upstreams:\n  docker.io:\n    credentials: { username: me, pasword: secret }',
    ['3: upstreams."docker.io".credentials.pasword: unknown key, did you mean password?'],
  ],
  [
    'secrets stay out of messages, wherever they stand',
    'upstreams:\n  docker.io: { credentials: secret }\n  ghcr.io: { credentials: {me:secret} }\n  quay.io: { credentials: { username: me, password: 123456 } }\n  cgr.dev: { credentials: { username: [], password: "" } }',
    [
      '2: upstreams."docker.io".credentials: expected a map of keys and values, got other text',
      `3: upstreams."ghcr.io".credentials: unknown key, expected username, ${FORMS}`,
      '4: upstreams."quay.io".credentials.password: expected text, in quotes if it looks like a number, got a number',
      '5: upstreams."cgr.dev".credentials.username: expected text, in quotes if it looks like a number, got a list',
      '5: upstreams."cgr.dev".credentials.password: expected text, in quotes if it looks like a number, got empty text',
    ],
  ],
  [
    'a helper by the name that Docker writes',
    'upstreams:\n  docker.io: { credentials: { helper: ecr-login } }',
    [
      '2: upstreams."docker.io".credentials.helper: expected a program such as docker-credential-ecr-login, got other text',
    ],
  ],
  [
    'helpers that are not there',
    'upstreams:\n  docker.io: { credentials: { helper: docker-credential-nope } }\n  ghcr.io:\n    credentials:\n      helper: ./bin/docker-credential-nope\n  quay.io: { credentials: { helper: docker-credential-there } }',
    [
      '2: upstreams."docker.io".credentials.helper: expected a program that is in PATH, found none',
      '5: upstreams."ghcr.io".credentials.helper: expected a program that can be run, found none',
    ],
  ],
  [
    'variables',
    'upstreams:\n  docker.io:\n    credentials:\n      username: ${EMPTY}\n      password: ${MISSING} ${MISSING}\n  ghcr.io: { credentials: { token: "${A:-b}" } }',
    [
      '4: upstreams."docker.io".credentials.username: expected the environment variable EMPTY, which is empty',
      '5: upstreams."docker.io".credentials.password: expected the environment variable MISSING, which is not set',
      '6: upstreams."ghcr.io".credentials.token: expected a variable such as ${NAME}; for "${" itself write "$${"',
    ],
  ],
  [
    'files',
    'upstreams:\n  docker.io:\n    ca: ./absent.pem\n    credentials: { username: me, passwordFile: absent }\n  ghcr.io:\n    ca: not-a-ca.pem\n    credentials: { dockerConfig: absent.json }\n  quay.io: { ca: empty.pem }',
    [
      '3: upstreams."docker.io".ca: expected a file that can be read, got "./absent.pem" (ENOENT)',
      '4: upstreams."docker.io".credentials.passwordFile: expected a file that can be read, got an error (ENOENT)',
      '6: upstreams."ghcr.io".ca: expected a file of PEM certificates, got "not-a-ca.pem"',
      '7: upstreams."ghcr.io".credentials.dockerConfig: expected a file that can be read, got an error (ENOENT)',
      '8: upstreams."quay.io".ca: expected a file of PEM certificates, got "empty.pem"',
    ],
  ],
  [
    'tls without its keys',
    'tls: {}',
    [
      '1: tls.cert: expected the path of a file or folder, got nothing',
      '1: tls.key: expected the path of a file or folder, got nothing',
    ],
  ],
  [
    'files of tls that cannot be used',
    'tls:\n  cert: empty.pem\n  key: ./absent.key\n  clientCa: not-a-ca.pem',
    [
      '2: tls.cert: expected a file of PEM certificates, got "empty.pem"',
      '3: tls.key: expected a file that can be read, got "./absent.key" (ENOENT)',
    ],
  ],
  [
    'authorities of clients that are none',
    'tls: { cert: tls.crt, key: tls.key, clientCa: not-a-ca.pem }',
    ['1: tls.clientCa: expected a file of PEM certificates, got "not-a-ca.pem"'],
  ],
  [
    'the key of another certificate',
    'tls:\n  cert: tls.crt\n  key: other.key',
    ['3: tls.key: expected the private key of the certificate in tls.cert, got "other.key"'],
  ],
  [
    'a key that is none',
    'tls: { cert: tls.crt, key: tls.crt }',
    ['1: tls.key: expected a PEM private key without a passphrase, got "tls.crt"'],
  ],
  [
    'a key with a passphrase',
    'tls: { cert: tls.crt, key: locked.key }',
    ['1: tls.key: expected a PEM private key without a passphrase, got "locked.key"'],
  ],
  [
    'a key written twice',
    'cache:\n  minFree: 1GiB\n  maxSize: 1GiB\n  minFree: 2GiB\nofline: true\ncache: {}',
    [
      '4: cache.minFree: expected each key once, already written on line 2',
      '5: ofline: unknown key, did you mean offline?',
      '6: cache: expected each key once, already written on line 1',
    ],
  ],
  [
    'an address in IPv6 without quotes',
    'offline: true\nlisten: [::1]:5000',
    [
      '2: expected valid YAML, got an error: Unexpected scalar at node end; values with special characters need quotes',
    ],
  ],
  [
    'a quote left open, and nothing that follows from it',
    'lisen: 1\nlog: { level: "info }\ndrain: x\n',
    [
      '2: expected valid YAML, got an error: Missing closing quote; values with special characters need quotes',
    ],
  ],
  [
    'a password that YAML takes for an alias',
    'upstreams: { docker.io: { credentials: { token: *secret } } }',
    ['1: expected an anchor for this alias; a value that starts with "*" needs quotes'],
  ],
  [
    'a password that YAML takes for a tag',
    'upstreams:\n  docker.io: { credentials: { token: !secret } }',
    ['2: expected valid YAML, got an error: Unknown tag; values with special characters need quotes'],
  ],
  [
    'a password behind an open quote',
    'upstreams:\n  docker.io: { credentials: { token: "a" secret } }',
    [
      '2: expected valid YAML, got an error: Unexpected scalar at node end; values with special characters need quotes',
    ],
  ],
  [
    'two documents',
    'offline: true\n---\noffline: false',
    ['2: expected valid YAML, got an error: Source contains multiple documents'],
  ],
  [
    'aliases that multiply',
    'a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c]',
    ['1: expected fewer YAML aliases'],
  ],
];

const KEYS =
  'listen, tls, cache, tags, negativeTtl, offline, access, publicUrl, defaultUpstream, upstreams, warm, timeouts, trustedProxies, limits, delivery, drainDelay, drain or log';

describe('a broken file', () => {
  it.each(BROKEN)('%s', (_title, text, lines) => {
    const expected = lines.map((line) => `config.yaml:${line.replace('@@KEYS@@', KEYS)}`);
    expect(linesOf(text, { EMPTY: '' })).toEqual(expected);
  });

  it('is a ConfigError whose message holds every line', () => {
    expect(new ConfigError(linesOf('a: 1\nb: 2')).message).toMatch(
      /^config\.yaml:1: a: .*\nconfig\.yaml:2: b: .*$/,
    );
  });

  it('names mistakes in the environment after those in the file', () => {
    expect(linesOf('ofline: true', { LARDER_LISTEN: '5000' })).toEqual([
      'config.yaml:1: ofline: unknown key, did you mean offline?',
      'LARDER_LISTEN: expected an address such as 127.0.0.1:5000, :5000, "[::1]:5000" or unix:/run/larder/larder.sock, got "5000"',
    ]);
  });
});
