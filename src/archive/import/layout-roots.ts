import { formatImageName } from '../layout/image-name.ts';
import { parseLayoutIndex } from '../layout/layout-index.ts';
import type { Root } from './root.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * Reads the roots of an image layout: those of Larder, skopeo, crane, ctr, and `docker save` since Docker 25.
 * @throws RegistryError MANIFEST_INVALID
 */
export function layoutRoots(index: Uint8Array): readonly Root[] {
  return parseLayoutIndex(index).map(({ descriptor, name }) => {
    const { digest, mediaType, size, annotations = {} } = descriptor;
    const text = name === undefined ? annotations[REF_NAME] : formatImageName(name);
    return { digest, mediaType, size, names: text === undefined || text === '' ? [] : [text] };
  });
}
