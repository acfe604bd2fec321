import { describe, expect, it } from 'vitest';
import { KNOWN_REGISTRY_NAMES, aliasedRegistry, knownRegistry } from './known-registries.ts';

describe('knownRegistry', () => {
  it('knows Docker Hub by all that is special about it', () => {
    expect(knownRegistry('docker.io')).toEqual({
      url: new URL('https://registry-1.docker.io'),
      aliases: ['index.docker.io', 'registry-1.docker.io'],
      addLibrary: true,
      trustedRealms: [],
    });
  });

  it.each(KNOWN_REGISTRY_NAMES.filter((name) => name !== 'docker.io'))(
    'reaches %s under its own name',
    (name) => {
      expect(knownRegistry(name)?.url.href).toBe(`https://${name}/`);
      expect(knownRegistry(name)?.addLibrary).toBe(false);
    },
  );

  it('trusts the token server of NVIDIA, which is in another domain', () => {
    expect(knownRegistry('nvcr.io')?.trustedRealms).toEqual(['authn.nvidia.com']);
  });

  it.each([
    'us.gcr.io',
    'europe-west1-docker.pkg.dev',
    'acme.azurecr.io',
    'acme.azurecr.cn',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com',
    '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
    '123456789012.dkr.ecr-fips.us-east-1.amazonaws.com',
    '123456789012.dkr-ecr.eu-central-1.on.aws',
    '123456789012.dkr-ecr-fips.us-east-1.on.aws',
    '123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
  ])('knows %s', (name) => {
    expect(knownRegistry(name)?.url.href).toBe(`https://${name}/`);
  });

  it.each([
    'index.docker.io',
    'registry.example',
    'pkg.dev',
    'a.b.pkg.dev',
    'evil-gcr.io',
    'us.gcr.io.example',
    'azurecr.io',
    'ghcr.io:443',
    '123.dkr.ecr.eu-central-1.amazonaws.com',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com.example',
    '123456789012.dkr.ecr.eu.central.1.amazonaws.com',
    'constructor',
    '__proto__',
    '',
  ])('does not know %j', (name) => {
    expect(knownRegistry(name)).toBeUndefined();
  });
});

describe('aliasedRegistry', () => {
  it('names the registry behind an alias', () => {
    expect(aliasedRegistry('index.docker.io')).toBe('docker.io');
    expect(aliasedRegistry('registry-1.docker.io')).toBe('docker.io');
    expect(aliasedRegistry('docker.io')).toBeUndefined();
    expect(aliasedRegistry('ghcr.io')).toBeUndefined();
  });
});
