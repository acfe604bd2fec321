import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '../../test/support/tls.ts';
import type { Config } from './config.ts';
import { KNOWN_REGISTRY_NAMES } from './sections/known-registries.ts';
import { loadConfig } from './load.ts';
import { refusalToListen } from './listen-refusal.ts';

const COMMITTED = readFileSync(new URL('../../config.yaml', import.meta.url), 'utf8');

function load(text: string, files: Readonly<Record<string, string>> = {}): Config {
  return loadConfig('config.yaml', {
    env: { DOCKERHUB_TOKEN: 'a', GHCR_TOKEN: 'b' },
    cwd: '/larder',
    home: '/home/me',
    readText: (path) => (path === '/larder/config.yaml' ? text : (files[path] ?? `no ${path}`)),
    isProgram: () => true,
  });
}

describe('config.yaml', () => {
  it('has the defaults, with every known registry that needs no account', () => {
    const { upstreams, ...written } = load(COMMITTED);
    const { upstreams: _, ...defaults } = load('');
    expect(written).toEqual(defaults);
    const names = KNOWN_REGISTRY_NAMES.filter((name) => name !== 'registry.redhat.io');
    expect(upstreams.map(({ name }) => name)).toEqual(names);
    expect(refusalToListen(load(COMMITTED), {})).toBeUndefined();
  });

  it('works with every example taken out of its comment', () => {
    const text = COMMITTED.replaceAll(/^( *)#(?=\S| {2})/gm, '$1').replace('ca: ./internal-ca.pem', '');
    const { cert, key } = createCertificateAuthority().issue(['mirror.example']);
    const { upstreams, access, tls } = load(text, { '/larder/tls.crt': cert, '/larder/tls.key': key });
    expect([access?.anonymous, tls]).toEqual([
      ['pull', 'tags'],
      { cert: '/larder/tls.crt', key: '/larder/tls.key' },
    ]);
    const credentials = upstreams.flatMap(({ name, credentials }) =>
      credentials ? [[name, credentials.kind]] : [],
    );
    expect(credentials).toEqual([
      ['docker.io', 'password'],
      ['ghcr.io', 'password'],
      ['registry.redhat.io', 'password-file'],
      ['123456789012.dkr.ecr.eu-central-1.amazonaws.com', 'helper'],
      ['europe-west1-docker.pkg.dev', 'docker-config'],
    ]);
    expect(upstreams.at(-1)).toMatchObject({
      name: 'registry.example.internal',
      hosts: ['internal.mirror.example'],
      allow: ['team/**'],
      deny: ['team/secret/**'],
    });
  });
});
