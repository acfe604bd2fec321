import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import { refuseConfusion } from './media-type-confusion.ts';
import { MediaType, type ManifestMediaType } from './media-type.ts';

const IMAGE_TYPES = [MediaType.ociManifest, MediaType.dockerManifest];
const INDEX_TYPES = [MediaType.ociIndex, MediaType.dockerList];
const SCHEMA_1_TYPES = [MediaType.dockerSchema1, MediaType.dockerSchema1Signed];

const OWN_MEMBERS: [ManifestMediaType, string[]][] = [
  ...IMAGE_TYPES.map((type): [ManifestMediaType, string[]] => [type, ['config', 'layers']]),
  ...INDEX_TYPES.map((type): [ManifestMediaType, string[]] => [type, ['manifests']]),
  ...SCHEMA_1_TYPES.map((type): [ManifestMediaType, string[]] => [type, ['fsLayers']]),
  [MediaType.ociArtifact, []],
];

describe('refuseConfusion', () => {
  it.each(OWN_MEMBERS)('lets %s carry the members of its kind and of no other', (mediaType, own) => {
    for (const member of ['manifests', 'layers', 'config', 'fsLayers']) {
      expect(codeOf(() => refuseConfusion({ [member]: null }, mediaType))).toBe(
        own.includes(member) ? undefined : 'MANIFEST_INVALID',
      );
    }
  });

  it.each(OWN_MEMBERS)('wants %s to say of itself what it was served as, or nothing', (mediaType) => {
    for (const own of [mediaType, '', null, undefined]) {
      expect(() => refuseConfusion({ mediaType: own }, mediaType)).not.toThrow();
    }
    const others = Object.values(MediaType).filter((other) => other !== mediaType);
    for (const other of [...others, `${mediaType}; charset=utf-8`, mediaType.toUpperCase(), 1, {}]) {
      expect(() => refuseConfusion({ mediaType: other }, mediaType)).toThrow(/mediaType/);
    }
  });

  it("takes names as Go's decoder does: by any case", () => {
    for (const member of ['Layers', 'LAYERS', 'layer\u017f', 'Config', 'fslayers']) {
      expect(() => refuseConfusion({ manifests: [], [member]: [] }, MediaType.ociIndex)).toThrow(/belong/);
    }
    expect(() => refuseConfusion({ MediaType: MediaType.ociIndex }, MediaType.ociManifest)).toThrow(
      /mediaType/,
    );
  });

  it('refuses a second spelling of a member of its own, which another reader may prefer', () => {
    expect(() => refuseConfusion({ layers: [], Layers: [] }, MediaType.ociManifest)).toThrow(/belong/);
  });

  it('does not look into what is inside', () => {
    expect(() => refuseConfusion({ x: { layers: [], mediaType: 'a' } }, MediaType.ociIndex)).not.toThrow();
  });

  it('tells schema 1 and 2 apart', () => {
    for (const mediaType of [...IMAGE_TYPES, ...INDEX_TYPES]) {
      expect(() => refuseConfusion({ schemaVersion: 2 }, mediaType)).not.toThrow();
      expect(() => refuseConfusion({ schemaVersion: 1 }, mediaType)).toThrow(/schemaVersion/);
      expect(() => refuseConfusion({ schemaVersion: '2' }, mediaType)).toThrow(/schemaVersion/);
    }
    for (const mediaType of SCHEMA_1_TYPES) {
      expect(() => refuseConfusion({ schemaVersion: 1 }, mediaType)).not.toThrow();
      expect(() => refuseConfusion({ schemaVersion: 2 }, mediaType)).toThrow(/schemaVersion/);
    }
  });
});
