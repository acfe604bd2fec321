import { RegistryError } from '../../oci/error.ts';
import { parseImageReference } from '../../oci/image-reference.ts';
import { formatPlatform, parsePlatformName } from '../../oci/platform.ts';
import { textLeaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

/** The name of an image, as it is written: which registry it means depends on the rest of the file. */
export function imageName(): Leaf<string> {
  const expected = 'the name of an image, such as debian:12 or ghcr.io/acme/app';
  return textLeaf({
    title: 'image',
    expected,
    parse: (text) => checkedName(text, expected),
    format: unchanged,
  });
}

function checkedName(text: string, expected: string): string {
  try {
    parseImageReference(text);
    return text;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new ValueError(expected);
  }
}

/** A platform such as `linux/arm/v7`. */
export function platformName(): Leaf<string> {
  const expected = 'a platform such as linux/amd64 or linux/arm/v7';
  const parse = (text: string): string => {
    const platform = parsePlatformName(text);
    if (platform === undefined) throw new ValueError(expected);
    return formatPlatform(platform);
  };
  return textLeaf({ title: 'platform', expected, parse, format: unchanged });
}
