import { sourceOf } from '../archive/save/bundle-source.ts';
import type { Digest } from '../oci/digest.ts';
import { OperatorError } from '../operator/error.ts';
import type { HandlerParts } from './handlers.ts';
import type { RangedBytes } from './range-answer.ts';

/** Opens an exported bundle. @throws OperatorError `unknown` */
export function openBundle(exports: HandlerParts['exports'], identity: Digest): RangedBytes {
  const reader = exports.open(identity);
  if (reader === undefined) {
    throw new OperatorError('unknown', 'the bundle is not here, or not any more: export it again');
  }
  const source = sourceOf(reader, { identity, size: reader.size });
  return { ...source, close: () => reader.close() };
}
