import { InvalidArgumentError } from 'commander';
import { parsePlatformName, type Platform } from '../../../oci/platform.ts';

/** Reads the value of `--platform`. @throws InvalidArgumentError */
export function askedPlatform(text: string): Platform {
  const platform = parsePlatformName(text);
  if (platform !== undefined) return platform;
  throw new InvalidArgumentError('Expected one such as linux/arm64.');
}
