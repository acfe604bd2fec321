import { z } from 'zod';
import type { Leaf } from './leaf.ts';

/** Makes a list that stays as it is written. */
export function list<T>(item: Leaf<T>): z.ZodReadonly<z.ZodArray<Leaf<T>>> {
  return z.array(item).readonly();
}

/** Makes a list without repetitions: each item keeps its first place. */
export function distinct<T>(item: Leaf<T>): z.ZodCodec<z.ZodArray<Leaf<T>>, z.ZodCustom<readonly T[]>> {
  return z.codec(z.array(item), z.custom<readonly T[]>(), { decode: unique, encode: (items) => [...items] });
}

/** Returns the items without repetitions, in their order. */
export function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
