import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../test/support/code-of.ts';
import { unambiguousType } from './media-type-confusion.ts';
import { MediaType, type ManifestMediaType } from '../media-type.ts';

const IMAGE_TYPES = [MediaType.ociManifest, MediaType.dockerManifest];
const INDEX_TYPES = [MediaType.ociIndex, MediaType.dockerList];
const SCHEMA_1_TYPES = [MediaType.dockerSchema1, MediaType.dockerSchema1Signed];

const OWN_MEMBERS: [ManifestMediaType, string[]][] = [
  ...IMAGE_TYPES.map((type): [ManifestMediaType, string[]] => [type, ['config', 'layers']]),
  ...INDEX_TYPES.map((type): [ManifestMediaType, string[]] => [type, ['manifests']]),
  ...SCHEMA_1_TYPES.map((type): [ManifestMediaType, string[]] => [type, ['fsLayers']]),
  [MediaType.ociArtifact, []],
];

const KINDS: ManifestMediaType[][] = [IMAGE_TYPES, INDEX_TYPES, SCHEMA_1_TYPES, [MediaType.ociArtifact]];
const SAID = (mediaType: ManifestMediaType) => ({ mediaType, schemaVersion: undefined });

describe('unambiguousType', () => {
  it.each(OWN_MEMBERS)('lets %s have the members of its kind and of no other', (mediaType, own) => {
    for (const member of ['manifests', 'layers', 'config', 'fsLayers']) {
      for (const value of [[], {}, '', 0, false]) {
        expect(codeOf(() => unambiguousType({ ...SAID(mediaType), [member]: value }, mediaType))).toBe(
          own.includes(member) ? undefined : 'MANIFEST_INVALID',
        );
      }
      // Null counts as absent for every reader; Go writes it for an empty list.
      expect(unambiguousType({ ...SAID(mediaType), [member]: null }, mediaType)).toBe(mediaType);
    }
  });

  it.each(OWN_MEMBERS)(
    'requires the mediaType of %s to name the kind that it was served as, or nothing',
    (mediaType, own) => {
      const members = Object.fromEntries(own.map((member) => [member, null]));
      for (const none of ['', null, undefined]) {
        expect(unambiguousType({ ...members, mediaType: none }, mediaType)).toBe(mediaType);
      }
      const kin = KINDS.find((kind) => kind.includes(mediaType)) ?? [];
      for (const other of kin) expect(unambiguousType({ mediaType: other }, mediaType)).toBe(other);
      const others = Object.values(MediaType).filter((other) => !kin.includes(other));
      for (const other of [...others, `${mediaType}; charset=utf-8`, mediaType.toUpperCase(), 1, {}]) {
        expect(() => unambiguousType({ ...members, mediaType: other }, mediaType)).toThrow(/mediaType/);
      }
    },
  );

  it.each([...IMAGE_TYPES, ...INDEX_TYPES])(
    "requires %s to state its type, or to have its kind's members",
    (mediaType) => {
      for (const document of [{}, { errors: [{ code: 'UNKNOWN' }] }, { schemaVersion: 2 }]) {
        expect(() => unambiguousType(document, mediaType)).toThrow(/it has no/);
      }
    },
  );

  it("compares names as Go's decoder does: in any case", () => {
    for (const member of ['Layers', 'LAYERS', 'layer\u017f', 'Config', 'fslayers']) {
      expect(() => unambiguousType({ manifests: [], [member]: [] }, MediaType.ociIndex)).toThrow(/belong/);
    }
    const spelled = { layers: [], MediaType: MediaType.ociIndex };
    expect(() => unambiguousType(spelled, MediaType.ociManifest)).toThrow(/mediaType/);
  });

  it('refuses a second spelling of a member of its own, which another reader may prefer', () => {
    for (const value of [[], null]) {
      expect(() => unambiguousType({ layers: [], Layers: value }, MediaType.ociManifest)).toThrow(/belong/);
    }
  });

  it('does not look into members', () => {
    expect(() =>
      unambiguousType({ manifests: [], x: { layers: [], mediaType: 'a' } }, MediaType.ociIndex),
    ).not.toThrow();
  });

  it('tells schema 1 and 2 apart', () => {
    for (const mediaType of [...IMAGE_TYPES, ...INDEX_TYPES]) {
      expect(() => unambiguousType({ mediaType, schemaVersion: 2 }, mediaType)).not.toThrow();
      expect(() => unambiguousType({ schemaVersion: 1 }, mediaType)).toThrow(/schemaVersion/);
      expect(() => unambiguousType({ schemaVersion: '2' }, mediaType)).toThrow(/schemaVersion/);
    }
    for (const mediaType of SCHEMA_1_TYPES) {
      expect(() => unambiguousType({ schemaVersion: 1 }, mediaType)).not.toThrow();
      expect(() => unambiguousType({ schemaVersion: 2 }, mediaType)).toThrow(/schemaVersion/);
    }
  });
});
