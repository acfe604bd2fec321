import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parsePlatformName, type Platform } from '../../oci/platform.ts';
import { chooseManifests } from './chosen-platforms.ts';

function platformOf(name: string): Platform {
  const platform = parsePlatformName(name);
  if (platform === undefined) throw new Error(`${name} is no platform`);
  return platform;
}

function child(name: string, more: Partial<Descriptor> = {}): Descriptor {
  return {
    mediaType: MediaType.ociManifest,
    digest: digestOf(name),
    size: 1,
    platform: platformOf(name),
    ...more,
  };
}

function attestation(image: Descriptor): Descriptor {
  return child('unknown/unknown', {
    digest: digestOf(`about ${image.digest}`),
    annotations: { 'vnd.docker.reference.digest': image.digest },
  });
}

const AMD64 = child('linux/amd64');
const ARM64 = child('linux/arm64');
const ABOUT_AMD64 = attestation(AMD64);
const ABOUT_ARM64 = attestation(ARM64);
const ARTIFACT: Descriptor = { mediaType: MediaType.ociManifest, digest: digestOf('artifact'), size: 1 };
const NESTED: Descriptor = { mediaType: MediaType.ociIndex, digest: digestOf('nested'), size: 1 };
const ALL = [AMD64, ARM64, ABOUT_AMD64, ABOUT_ARM64, ARTIFACT];

describe('chooseManifests', () => {
  it.each([
    ['everything', ALL, undefined, ALL, []],
    ['one platform, with the attestation about it', ALL, ['linux/arm64'], [ARM64, ABOUT_ARM64, ARTIFACT], []],
    ['the base variant of a platform', ALL, ['linux/arm64/v8'], [ARM64, ABOUT_ARM64, ARTIFACT], []],
    ['both platforms', ALL, ['linux/amd64', 'linux/arm64'], ALL, []],
    ['a platform that is not there', ALL, ['linux/riscv64'], [ARTIFACT], ['linux/riscv64']],
    ['nested indexes, which may have it', [AMD64, NESTED], ['linux/riscv64'], [NESTED], []],
    ['nothing of an empty index', [], ['linux/amd64'], [], ['linux/amd64']],
  ])('chooses %s', (_, manifests, names, chosen, missing) => {
    const choice = names?.map(platformOf);
    expect(chooseManifests(manifests, choice)).toEqual({
      manifests: chosen,
      missing: missing.map(platformOf),
    });
  });
});
