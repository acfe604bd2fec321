import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Config } from './config.ts';
import { formatByteSize } from './values/byte-size.ts';
import { formatDuration } from './values/duration.ts';
import type { Environment } from './source/interpolate.ts';
import { loadConfig } from './load.ts';
import { printConfig } from './print.ts';

function load(text: string, env: Environment = {}): Config {
  const sources = {
    env,
    cwd: '/etc/larder',
    home: '/home/me',
    readText: () => text,
    isProgram: () => true,
  };
  return loadConfig('config.yaml', sources);
}

describe('printConfig', () => {
  it('hides secrets, and only them', () => {
    const text = printConfig(
      load(`upstreams:
  docker.io: { credentials: { username: me, password: hunter2 } }
  ghcr.io: { credentials: { token: hunter2 } }
  quay.io: { credentials: { username: "$\${x}", passwordFile: ./password } }
  cgr.dev: { credentials: { helper: docker-credential-x } }
  gcr.io: { credentials: { dockerConfig: ~/config.json } }
`),
    );
    expect(text).not.toContain('hunter2');
    expect(parse(text)).toMatchObject({
      upstreams: {
        'docker.io': { credentials: { username: 'me', password: '(hidden)' } },
        'ghcr.io': { credentials: { token: '(hidden)' } },
        'quay.io': { credentials: { username: '$${x}', passwordFile: '/etc/larder/password' } },
        'cgr.dev': { credentials: { helper: 'docker-credential-x' } },
        'gcr.io': { credentials: { dockerConfig: '/home/me/config.json' } },
      },
    });
  });

  it('shows only the values of an upstream that differ from the general ones', () => {
    const text = printConfig(
      load('upstreams: { docker.io: { tags: { ttl: 300s, staleFor: 1h }, timeouts: { body: 1m } } }'),
    );
    expect(text).toContain(`upstreams:
  docker.io:
    url: https://registry-1.docker.io
    aliases:
      - index.docker.io
      - registry-1.docker.io
    tags:
      staleFor: 1h
    timeouts:
      body: 1m
`);
  });

  it('shows proxies, and nothing of their accounts', () => {
    const proxies = [
      'docker.io: { proxy: "http://me:secret@p:1" }',
      'ghcr.io: { proxy: "http://p:1", proxyCredentials: { username: me, password: secret } }',
      'quay.io: { proxy: none }',
    ];
    const text = printConfig(
      load(`upstreams:\n  ${proxies.join('\n  ')}`, {
        HTTPS_PROXY: 'http://me:secret@q:2',
        no_proxy: 'a.example, 10.0.0.0/8',
      }),
    );
    const account =
      '    proxy: http://p:1\n    proxyCredentials:\n      username: (hidden)\n      password: (hidden)\n';
    expect(text.split(account)).toHaveLength(3);
    expect(text).toContain('    proxy: none\n');
    expect(text).toMatch(
      /# https_proxy of the environment: http:\/\/q:2\n# no_proxy .*: "a.example", "10.0.0.0\/8"\n$/,
    );
    expect(text).not.toMatch(/secret|\bme\b/);
  });

  it('prints a configuration of the same meaning', () => {
    const ms = fc.nat({ max: 86_400_000 });
    const duration = ms.map(formatDuration);
    const wait = fc.integer({ min: 1, max: 86_400_000 }).map(formatDuration);
    const size = fc.integer({ min: 1024 ** 2, max: 1024 ** 5 }).map(formatByteSize);
    const globs = fc.array(fc.constantFrom('**', 'library/*', 'v[0-9]*', '{a,b}'), { maxLength: 3 });
    const tags = { ttl: duration, staleFor: duration, deadline: duration, immutable: globs };
    const timeouts = { connect: wait, headers: wait, body: wait };
    const upstream = fc.record(
      {
        url: fc.constantFrom('https://a.example', 'http://b.example:5000/path'),
        hosts: fc.uniqueArray(fc.constantFrom('m.example', 'n.example:80')),
        aliases: fc.uniqueArray(fc.constantFrom('a.example', 'b.example:80')),
        proxy: fc.constantFrom('http://proxy.example:3128', 'none'),
        allow: globs,
        deny: globs,
        trustedRealms: fc.constantFrom([], ['login.example']),
        allowPrivateNetworks: fc.boolean(),
        checksReferences: fc.boolean(),
        tags: fc.record(tags, { requiredKeys: [] }),
        timeouts: fc.record(timeouts, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    );
    const file = fc.record(
      {
        listen: fc.constantFrom(':5000', '[::1]:5000', 'localhost:0'),
        cache: fc.record({
          directory: fc.constantFrom('./cache', '/var/lib/larder'),
          maxSize: fc.oneof(size, fc.constant('unlimited')),
          minFree: size,
          quarantine: size,
          manifestMemory: size,
          blobMemory: size,
          unusedFor: fc.oneof(duration, fc.constant('never')),
          verifyEvery: fc.oneof(duration, fc.constant('never')),
          verifyRate: size,
        }),
        tags: fc.record(tags, { requiredKeys: [] }),
        negativeTtl: duration,
        offline: fc.boolean(),
        access: fc.constant({ anonymous: 'pull' }),
        warm: fc.array(
          fc.record(
            {
              every: fc.constantFrom('1m', '1h30m', '12d'),
              refs: fc.constant(['debian:12']),
              platforms: fc.constant(['linux/arm64']),
              referrers: fc.boolean(),
            },
            { requiredKeys: ['every', 'refs'] },
          ),
          { maxLength: 2 },
        ),
        timeouts: fc.record({ ...timeouts, answer: wait }, { requiredKeys: [] }),
        upstreams: fc.record({ 'docker.io': upstream, 'nvcr.io': fc.constant({}) }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(file, (file) => {
        const config = load(JSON.stringify(file));
        expect(load(printConfig(config))).toEqual(config);
      }),
    );
  });
});
