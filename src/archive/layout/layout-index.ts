import { MAX_DESCRIPTORS, readDescriptor, type Descriptor } from '../../oci/descriptor.ts';
import { manifestInvalid, parseJsonObject } from '../../oci/json.ts';
import { MediaType } from '../../oci/media-type.ts';
import { formatImageName, parseImageName, type ImageName } from './image-name.ts';

/** The name of a manifest in a layout (image-spec annotations.md). skopeo, oras and crane choose manifests by it. */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The name under which containerd's tools (ctr, nerdctl) import a manifest. */
const CONTAINERD_NAME = 'io.containerd.image.name';

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
 * Formats `index.json`, always in the same order. Each root has its full name, a referrer by its digest. Only what has a
 * tag, or was asked for, has a name for containerd's tools, which would make an image of every signature else.
 */
export function formatLayoutIndex(
  roots: readonly (NamedRoot & { readonly isReferrer?: boolean })[],
): Uint8Array {
  const manifests = roots
    .map(({ descriptor, name, isReferrer = false }) => named(descriptor, formatImageName(name), isReferrer))
    .toSorted((a, b) => compare(a.annotations[REF_NAME] ?? '', b.annotations[REF_NAME] ?? ''));
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
  return new TextEncoder().encode(JSON.stringify(index));
}

function named(
  { mediaType, digest, size, artifactType }: Descriptor,
  name: string,
  isReferrer: boolean,
): Descriptor & { readonly annotations: Readonly<Record<string, string>> } {
  const annotations = { [REF_NAME]: name, ...(!isReferrer && { [CONTAINERD_NAME]: name }) };
  return { mediaType, digest, size, ...(artifactType !== undefined && { artifactType }), annotations };
}

/** Compares by UTF-16 units: it must not depend on where Larder runs. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Reads the roots of an `index.json`: of each the full name that its annotation for OCI or, failing that, for containerd
 * gives.
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
  const texts = [annotations[REF_NAME], annotations[CONTAINERD_NAME]];
  const names = texts.map((text) => (text === undefined ? undefined : parseImageName(text)));
  return names.find((name) => name !== undefined);
}
