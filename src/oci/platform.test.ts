import { describe, expect, it } from 'vitest';
import { MediaType } from './media-type.ts';
import {
  formatPlatform,
  parsePlatform,
  parsePlatformName,
  selectPlatform,
  type Platform,
} from './platform.ts';

const LINUX_AMD64: Platform = { os: 'linux', architecture: 'amd64' };

describe('parsePlatform', () => {
  it.each([
    [{ os: 'linux', architecture: 'amd64' }, LINUX_AMD64],
    [
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      { os: 'linux', architecture: 'arm', variant: 'v6' },
    ],
    [{ os: 'linux', architecture: 'amd64', variant: '', 'os.features': ['x'] }, LINUX_AMD64],
    [{ os: 'linux', architecture: 'amd64', variant: 3 }, LINUX_AMD64],
    [{ os: 'linux' }, undefined],
    [{ os: 1, architecture: 'amd64' }, undefined],
    [null, undefined],
    [undefined, undefined],
    [['linux', 'amd64'], undefined],
    ['linux/amd64', undefined],
  ])('of %j is %j', (value, platform) => {
    expect(parsePlatform(value)).toEqual(platform);
  });
});

describe('parsePlatformName', () => {
  it.each([
    ['linux/amd64', LINUX_AMD64],
    ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ])('reads %s, and formatPlatform writes it again', (text, platform) => {
    expect(parsePlatformName(text)).toEqual(platform);
    expect(formatPlatform(platform)).toBe(text);
  });

  it.each([
    '',
    'amd64',
    'linux',
    'linux/',
    '/amd64',
    'linux/arm/',
    'linux/arm/v7/x',
    'Linux/amd64',
    'linux amd64',
  ])('refuses %j', (text) => {
    expect(parsePlatformName(text)).toBeUndefined();
  });
});

describe('selectPlatform', () => {
  const child = (platform: Platform | undefined, mediaType: string = MediaType.ociManifest) => ({
    mediaType,
    ...(platform && { platform }),
  });
  const amd64 = child(LINUX_AMD64);
  const windows = child({ os: 'windows', architecture: 'amd64' });
  const arm64v8 = child({ os: 'linux', architecture: 'arm64', variant: 'v8' });
  const armv6 = child({ os: 'linux', architecture: 'arm', variant: 'v6' });
  const armv7 = child({ os: 'linux', architecture: 'arm', variant: 'v7' });
  const amd64v3 = child({ ...LINUX_AMD64, variant: 'v3' });
  const attestation = child({ os: 'unknown', architecture: 'unknown' });

  it('selects the first manifest for the platform', () => {
    const second = child(LINUX_AMD64, MediaType.dockerManifest);
    expect(selectPlatform([windows, arm64v8, attestation, amd64, second], LINUX_AMD64)).toBe(amd64);
  });

  it('counts the base variant of an architecture as no variant', () => {
    const v1 = child({ ...LINUX_AMD64, variant: 'v1' });
    expect(selectPlatform([v1], LINUX_AMD64)).toBe(v1);
    expect(selectPlatform([arm64v8], { os: 'linux', architecture: 'arm64' })).toBe(arm64v8);
    expect(selectPlatform([armv6, armv7], { os: 'linux', architecture: 'arm' })).toBe(armv7);
    expect(selectPlatform([amd64v3, amd64], { ...LINUX_AMD64, variant: 'v1' })).toBe(amd64);
  });

  it('never selects a higher variant than wanted, since it may not run', () => {
    expect(selectPlatform([amd64v3], LINUX_AMD64)).toBeUndefined();
    expect(selectPlatform([amd64, amd64v3], { ...LINUX_AMD64, variant: 'v3' })).toBe(amd64v3);
  });

  it('selects neither a nested index nor a manifest without a platform', () => {
    const nested = child(LINUX_AMD64, MediaType.ociIndex);
    const list = child(LINUX_AMD64, MediaType.dockerList);
    expect(selectPlatform([nested, list, child(undefined)], LINUX_AMD64)).toBeUndefined();
    expect(selectPlatform([], LINUX_AMD64)).toBeUndefined();
  });
});
