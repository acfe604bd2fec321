import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { complete } from './complete.ts';
import type { Config } from './config.ts';
import { encodeConfig } from './print.ts';
import { configSchema } from './schema.ts';
import { interpolateCredentials } from './source/interpolate.ts';
import { bare } from './source/schema-shape.ts';
import { PLAIN } from './values/context.ts';

const schema = configSchema(PLAIN);

/** Arbitrary valid texts for each kind of value, by the title of the kind. */
const WRITTEN = new Map<string, fc.Arbitrary<unknown>>(
  Object.entries({
    '`pull`, or list of actions': ['pull', ['pull'], ['tags', 'pull', 'tags'], ['metrics']],
    '`https:` URL': ['https://issuer.example', 'https://a.example/b/', 'http://127.0.0.1:80/a'],
    '`registry/repository` glob': ['**', 'docker.io/**', '*/team/*', 'ghcr.io/a/{b,c}'],
    address: [':5000', '127.0.0.1:0', '[::1]:5000', 'LOCALHOST:80', 'unix:/run/larder.sock'],
    duration: ['1ms', '90s', '1.5h', '1h30m', '1d'],
    'duration from `1m`': ['1m', '1h30m', '90d'],
    'duration or `never`': ['never', '0s', '12h'],
    glob: ['**', 'library/*', 'v[0-9]*', '{a,b}'],
    image: ['debian', 'ghcr.io/acme/app:1'],
    'range of versions': ['>=1.2 <2', '^1'],
    platform: ['linux/amd64', 'linux/arm/v7'],
    host: ['A.example', 'a.example', 'b.example:80'],
    network: ['unix', '10.0.0.0/8', '192.0.2.1', '::ffff:192.0.2.1', '2001:db8::/32'],
    path: ['./a', '~/b', '/c'],
    program: ['docker-credential-a', './docker-credential-b'],
    'registry host': ['docker.io', 'index.docker.io', 'A.example', 'localhost:5000'],
    size: [1024 ** 2, '1MiB', '1.5GB'],
    'size or `unlimited`': ['unlimited', '50GiB', '123456'],
    text: ['me', '${NAME}', '$${NAME}', '${'],
    'text, or list of texts': ['mirror.example', ['mirror.example', 'larder'], ['larder']],
    client: [
      'anonymous',
      'authenticated',
      'user:alice',
      'token:ci-*',
      'group:platform',
      'group:github:acme',
      'oidc:github',
      'oidc:github:repo:acme/*:ref:refs/heads/main',
      'serviceaccount:ci/*',
    ],
    URL: ['https://a.example', 'http://b.example:5000/path/'],
    'URL without a path': ['https://mirror.example', 'http://mirror.example:5000/'],
    'URL or `none`': ['none', 'http://proxy.example:3128', 'https://proxy.example'],
    'whole number': [1, 4096],
  }).map(([title, values]) => [title, fc.constantFrom<unknown>(...values)]),
);

/** Makes files that the schema allows. Each key may be left out. */
function files(of: z.core.$ZodType, path: readonly string[] = []): fc.Arbitrary<unknown> {
  const shape = bare(of);
  switch (shape.kind) {
    case 'map': {
      const keys = Object.entries(shape.keys).map(([key, inner]) => [key, files(inner, [...path, key])]);
      return maps(path.at(-1), Object.fromEntries(keys));
    }
    case 'record': {
      const value = files(shape.value, path);
      const names = ['docker.io', 'ghcr.io', 'nvcr.io', 'a.example'];
      return fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    }
    case 'list':
      return fc.array(files(shape.item, path), { maxLength: 4 });
    case 'choice':
      return fc.constantFrom(
        ...shape.words.map((word) => (/^(?:true|false)$/.test(word) ? word === 'true' : word)),
      );
    default:
      return WRITTEN.get(shape.title) ?? unknownKind(shape.title);
  }
}

function unknownKind(title: string): never {
  throw new Error(`say in WRITTEN what may be written for the kind "${title}"`);
}

type Keys = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** The combinations of keys that some maps need, by the key of the map. */
const FORMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  rules: [['repositories', 'who', 'allow']],
  warm: [
    ['every', 'refs'],
    ['every', 'refs', 'tags', 'platforms', 'referrers'],
  ],
  oidc: [
    ['issuer', 'audience'],
    ['issuer', 'audience', 'claims', 'groups', 'serviceAccounts', 'jwksUrl', 'ca', 'tokenFile'],
  ],
  credentials: [
    ['username', 'password'],
    ['username', 'passwordFile'],
    ['token'],
    ['dockerConfig'],
    ['helper'],
  ],
  proxyCredentials: [
    ['username', 'password'],
    ['username', 'passwordFile'],
  ],
  tls: [
    ['cert', 'key'],
    ['cert', 'key', 'clientCa'],
  ],
};

function maps(key: string | undefined, keys: Keys): fc.Arbitrary<unknown> {
  const forms = FORMS[key ?? ''];
  if (forms === undefined) return fc.oneof(fc.constant(null), fc.record(keys, { requiredKeys: [] }));
  const only = (form: readonly string[]): Keys =>
    Object.fromEntries(Object.entries(keys).filter(([name]) => form.includes(name)));
  return fc.oneof(...forms.map((form) => fc.record(only(form))));
}

function completed(file: unknown): Config {
  const proxies = { http: undefined, https: undefined, noProxy: [] };
  return complete(z.decode(schema, file), { overrides: {}, certificates: new Map(), proxies });
}

describe('the printed configuration', () => {
  it('is read as the values that it was written from, whatever the keys', () => {
    fc.assert(
      fc.property(files(schema), (file) => {
        const value = z.decode(schema, file);
        expect(z.decode(schema, z.encode(schema, value))).toEqual(value);
      }),
    );
  });

  it('is a file of the same configuration, with the secrets', () => {
    fc.assert(
      fc.property(files(schema), (file) => {
        const config = completed(file);
        const { file: read, problems } = interpolateCredentials(encodeConfig(config), {});
        expect(problems).toEqual([]);
        expect(completed(read)).toEqual(config);
      }),
    );
  });

  it('has the account of a proxy beside its URL', () => {
    const config = completed({ upstreams: { 'docker.io': { proxy: 'http://me:p%40ss@proxy.example:1' } } });
    expect(encodeConfig(config)).toMatchObject({
      upstreams: {
        'docker.io': {
          proxy: 'http://proxy.example:1',
          proxyCredentials: { username: 'me', password: 'p@ss' },
        },
      },
    });
    expect(completed(encodeConfig(config))).toEqual(config);
  });

  it('leaves out the defaults of an upstream, and has all general values', () => {
    expect(z.encode(schema, z.decode(schema, null))).toMatchObject({
      cache: { maxSize: '50GiB', unusedFor: 'never' },
      upstreams: { 'docker.io': {} },
      timeouts: { answer: '25s' },
    });
  });
});
