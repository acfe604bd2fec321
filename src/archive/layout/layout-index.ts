import { MAX_DESCRIPTORS, readDescriptor, type Descriptor } from '../../oci/descriptor.ts';
import { manifestInvalid, parseJsonObject } from '../../oci/documents/json.ts';
import { MediaType } from '../../oci/media-type.ts';
import { formatImageName, parseImageName, type ImageName } from './image-name.ts';

/** The name of a manifest in a layout (image-spec annotations.md). skopeo, oras and crane choose manifests by it. */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The name under which containerd's tools (ctr, nerdctl) import a manifest. */
const CONTAINERD_NAME = 'io.containerd.image.name';

/**
 * Larder's own annotation: the name of a manifest that is about another one. containerd makes an image of everything
 * that has a full name by one of the others, and fails to unpack what is none.
 */
const REFERRER_NAME = 'larder.referrer.name';

/** A manifest that a layout lists. */
export interface LayoutRoot {
  readonly descriptor: Descriptor;
  /** The full name, if the layout gives one. */
  readonly name: ImageName | undefined;
}

/** A root as Larder writes it. */
export interface NamedRoot extends LayoutRoot {
  readonly name: ImageName;
}

/**
 * Formats `index.json`, always in the same order. Each root has its full name; that of a referrer is for Larder alone.
 */
export function formatLayoutIndex(
  roots: readonly (NamedRoot & { readonly isReferrer?: boolean })[],
): Uint8Array {
  const manifests = roots
    .map((root) => ({ ...root, text: formatImageName(root.name) }))
    .toSorted((a, b) => compare(a.text, b.text))
    .map(({ descriptor, text, isReferrer = false }) => named(descriptor, text, isReferrer));
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
  return new TextEncoder().encode(JSON.stringify(index));
}

function named(
  { mediaType, digest, size, artifactType }: Descriptor,
  name: string,
  isReferrer: boolean,
): Descriptor {
  const annotations: Readonly<Record<string, string>> = isReferrer
    ? { [REFERRER_NAME]: name }
    : { [REF_NAME]: name, [CONTAINERD_NAME]: name };
  return { mediaType, digest, size, ...(artifactType !== undefined && { artifactType }), annotations };
}

/** Compares by UTF-16 units: it must not depend on where Larder runs. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Reads the roots of an `index.json`: of each the full name that its annotation for OCI or, failing that, for containerd
 * or for Larder gives.
 * @throws RegistryError MANIFEST_INVALID if it is no index, has more than 4,000 roots, or a root that cannot be verified
 */
export function parseLayoutIndex(bytes: Uint8Array): LayoutRoot[] {
  const { manifests } = parseJsonObject(bytes);
  if (!Array.isArray(manifests)) throw manifestInvalid('manifests is not a list');
  if (manifests.length > MAX_DESCRIPTORS) {
    throw manifestInvalid(`manifests has ${manifests.length} descriptors: at most ${MAX_DESCRIPTORS}`);
  }
  return manifests.map((value: unknown, position) => {
    const descriptor = readDescriptor(value);
    if (descriptor === undefined)
      throw manifestInvalid(`manifests[${position}] has no valid digest and size`);
    return { descriptor, name: nameOf(descriptor) };
  });
}

function nameOf({ annotations = {} }: Descriptor): ImageName | undefined {
  const texts = [annotations[REF_NAME], annotations[CONTAINERD_NAME], annotations[REFERRER_NAME]];
  const names = texts.map((text) => (text === undefined ? undefined : parseImageName(text)));
  return names.find((name) => name !== undefined);
}
