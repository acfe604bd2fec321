import { describe, expect, it } from 'vitest';
import type { ManifestTree } from '../../../asking/manifests/tree.ts';
import { descriptorTable, manifestText, treeText } from './manifest-text.ts';

const CONFIG = { digest: 'sha256:c', mediaType: 'x/config', size: 100 };
const LAYER = { digest: 'sha256:1', mediaType: 'x/layer', size: 2048 };
const AMD64 = { digest: 'sha256:a', mediaType: 'x/image', size: 500, platform: 'linux/amd64' };

const NODE: ManifestTree = {
  digest: 'sha256:a',
  mediaType: 'x/image',
  size: 500,
  platform: 'linux/amd64',
  config: CONFIG,
  layers: [LAYER],
  manifests: [],
  attestations: [],
  referrers: [],
  problems: [],
};

const lines = (text: string): string[] => text.split('\n');

describe('a manifest', () => {
  it('of an image has its config and layers', () => {
    const content = { digest: 'sha256:a', mediaType: 'x/image', size: 500, layers: [LAYER], manifests: [] };
    expect(lines(manifestText('r/a:1', { ...content, config: CONFIG }))).toEqual([
      'image       r/a:1',
      'digest      sha256:a',
      'media type  x/image',
      'size        500 B',
      '',
      '        DIGEST    SIZE      TYPE',
      'config  sha256:c  100 B     x/config',
      'layer   sha256:1  2.00 KiB  x/layer',
    ]);
  });

  it('of an index has its platforms', () => {
    const content = { digest: 'sha256:i', mediaType: 'x/index', size: 500, layers: [] };
    expect(lines(manifestText('r/a:1', { ...content, manifests: [AMD64] })).slice(5)).toEqual([
      '             DIGEST    SIZE   TYPE',
      'linux/amd64  sha256:a  500 B  x/image',
    ]);
  });

  it('of an artifact says what it is, and about what', () => {
    const content = { digest: 'sha256:i', mediaType: 'x/image', size: 5, layers: [], manifests: [] };
    const text = manifestText('r/a:1', { ...content, artifactType: 'x/\u009bsbom', subject: AMD64 });
    expect(lines(text).slice(3)).toEqual([
      'artifact    x/\\u009bsbom',
      'about       sha256:a',
      'size        5 B',
    ]);
  });
});

it('a list of descriptors has the type of the artifact, if it is one', () => {
  expect(lines(descriptorTable([LAYER, { ...LAYER, artifactType: 'x/sbom' }]))).toEqual([
    'DIGEST    SIZE      TYPE',
    'sha256:1  2.00 KiB  x/layer',
    'sha256:1  2.00 KiB  x/sbom',
  ]);
});

it('a tree has attestations, referrers and problems beside the image', () => {
  const sbom = { ...LAYER, annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' } };
  const attestation = { ...NODE, platform: 'unknown/unknown', layers: [sbom] };
  const image = {
    ...NODE,
    attestations: [attestation],
    referrers: [{ ...LAYER, artifactType: 'x/signature' }, LAYER],
    problems: ['its referrers are unknown'],
  };
  const index = {
    digest: 'sha256:i',
    mediaType: 'x/index',
    size: 500,
    layers: [],
    attestations: [],
    referrers: [],
  };
  expect(lines(treeText('r/a:1', { ...index, manifests: [image], problems: [] }))).toEqual([
    'r/a:1  sha256:i  1 manifest  x/index',
    '└─ linux/amd64  sha256:a  2.10 KiB in 1 layer  x/image',
    '   ├─ config  sha256:c  100 B  x/config',
    '   ├─ layer  sha256:1  2.00 KiB  x/layer',
    '   ├─ attestation  sha256:a  2.10 KiB in 1 layer  x/image',
    '   │  ├─ config  sha256:c  100 B  x/config',
    '   │  └─ https://spdx.dev/Document  sha256:1  2.00 KiB  x/layer',
    '   ├─ referrer x/signature  sha256:1  2.00 KiB  x/layer',
    '   ├─ referrer  sha256:1  2.00 KiB  x/layer',
    '   └─ ! its referrers are unknown',
  ]);
});
