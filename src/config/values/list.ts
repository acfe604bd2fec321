import { z } from 'zod';
import type { Leaf } from './leaf.ts';

/** A list as it is written. */
export function list<T>(item: Leaf<T>): z.ZodReadonly<z.ZodArray<Leaf<T>>> {
  return z.array(item).readonly();
}

/** A list in which an item counts once, at the place where it is first. */
export function distinct<T>(item: Leaf<T>): z.ZodCodec<z.ZodArray<Leaf<T>>, z.ZodCustom<readonly T[]>> {
  return z.codec(z.array(item), z.custom<readonly T[]>(), { decode: unique, encode: (items) => [...items] });
}

/** The items without repetitions, in their order. */
export function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
