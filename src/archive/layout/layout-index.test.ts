import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { formatImageName, parseImageName, type ImageName } from './image-name.ts';
import { formatLayoutIndex, parseLayoutIndex, type NamedRoot } from './layout-index.ts';

const DIGEST = digestOf('a');
const DESCRIPTOR = { mediaType: MediaType.ociManifest, digest: DIGEST, size: 7 };

function nameOf(text: string): ImageName {
  const name = parseImageName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

function root(text: string, rest: Partial<NamedRoot['descriptor']> = {}): NamedRoot {
  return { descriptor: { ...DESCRIPTOR, ...rest }, name: nameOf(text) };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const read = (...manifests: readonly unknown[]): readonly (string | undefined)[] =>
  parseLayoutIndex(new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests }))).map(
    ({ name }) => name && formatImageName(name),
  );

describe('the index of a layout', () => {
  it('names each root for OCI and for containerd, in the order of the names', () => {
    const index = formatLayoutIndex([root('ghcr.io/acme/b:1'), root('ghcr.io/acme/a:1')]);
    const names = (name: string): object => ({
      'org.opencontainers.image.ref.name': name,
      'io.containerd.image.name': name,
    });
    expect(JSON.parse(textOf(index))).toEqual({
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: [
        { ...DESCRIPTOR, annotations: names('ghcr.io/acme/a:1') },
        { ...DESCRIPTOR, annotations: names('ghcr.io/acme/b:1') },
      ],
    });
  });

  it('names a referrer for Larder alone, which reads the name again', () => {
    const referrer = root(`ghcr.io/acme/a@${DIGEST}`, { artifactType: 'application/sbom' });
    const text = textOf(formatLayoutIndex([{ ...referrer, isReferrer: true }]));
    expect(text).toContain('application/sbom');
    expect(text).not.toMatch(/containerd|ref\.name/);
    expect(parseLayoutIndex(new TextEncoder().encode(text))[0]?.name).toEqual(referrer.name);
  });

  it('is the same, in whichever order the roots come', () => {
    const [a, b, c] = [root('a.io/b:1'), root('a.io/b:2'), root('a.io/B/b:1'.toLowerCase())];
    expect(formatLayoutIndex([a, b, c])).toEqual(formatLayoutIndex([c, b, a]));
  });

  it('is read as it was written', () => {
    const roots = [root('ghcr.io/acme/a:1'), root(`ghcr.io/acme/a@${DIGEST}`)];
    const again = parseLayoutIndex(formatLayoutIndex(roots));
    expect(again.map(({ name }) => name)).toEqual(roots.map(({ name }) => name));
    expect(again[0]?.descriptor).toMatchObject(DESCRIPTOR);
  });
});

describe('an index of another program', () => {
  it.each([
    ['a full name', { 'org.opencontainers.image.ref.name': 'ghcr.io/a/b:1' }, 'ghcr.io/a/b:1'],
    [
      'a tag, and a full name for containerd',
      { 'org.opencontainers.image.ref.name': '1', 'io.containerd.image.name': 'ghcr.io/a/b:1' },
      'ghcr.io/a/b:1',
    ],
    ['a tag alone', { 'org.opencontainers.image.ref.name': '1' }, undefined],
    ['nothing', undefined, undefined],
  ])('gives %s', (_, annotations, name) => expect(read({ ...DESCRIPTOR, annotations })).toEqual([name]));

  it.each([
    ['no list', '{"manifests":{}}'],
    ['a root without a digest that can be verified', '{"manifests":[{"digest":"md5:0","size":1}]}'],
    ['no JSON', 'index'],
    ['more roots than 4,000', JSON.stringify({ manifests: Array.from({ length: 4_001 }, () => DESCRIPTOR) })],
  ])('is refused: %s', (_, text) => {
    expect(() => parseLayoutIndex(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID' }),
    );
  });
});
