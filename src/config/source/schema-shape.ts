import { z } from 'zod';
import type { KeyPath } from '../config-problem.ts';

/** A schema without its wrappers, which a person would call the value. */
export type Bare =
  | { readonly kind: 'map'; readonly keys: Readonly<Record<string, z.core.$ZodType>> }
  | { readonly kind: 'record'; readonly value: z.core.$ZodType }
  | { readonly kind: 'list'; readonly item: z.core.$ZodType }
  | { readonly kind: 'choice'; readonly words: readonly string[] }
  | { readonly kind: 'value'; readonly title: string };

/** Removes the default, optionality and readonlyness of a schema. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const isWrapper =
    schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly;
  return isWrapper ? unwrapped(schema.def.innerType) : schema;
}

/** Removes the wrappers and codecs of a schema. */
export function bare(wrapped: z.core.$ZodType): Bare {
  const schema = unwrapped(wrapped);
  if (schema instanceof z.ZodObject) return { kind: 'map', keys: schema.def.shape };
  if (schema instanceof z.ZodRecord) return { kind: 'record', value: schema.def.valueType };
  if (schema instanceof z.ZodArray) return { kind: 'list', item: schema.def.element };
  if (schema instanceof z.ZodEnum) return { kind: 'choice', words: schema.options.map(String) };
  if (schema instanceof z.ZodBoolean) return { kind: 'choice', words: ['true', 'false'] };
  const { title } = z.globalRegistry.get(schema) ?? {};
  if (title !== undefined) return { kind: 'value', title };
  if (schema instanceof z.ZodCodec)
    return bare(schema.def.in instanceof z.ZodUnknown ? schema.def.out : schema.def.in);
  throw new TypeError('a schema of a kind that the reference does not know');
}

/** Returns the keys that the map at `path` may hold; none if there is no map. */
export function keysAt(schema: z.core.$ZodType, path: KeyPath): readonly string[] {
  const shape = bare(schema);
  const [first, ...rest] = path;
  if (first === undefined) return shape.kind === 'map' ? Object.keys(shape.keys) : [];
  const inner = innerSchema(shape, first);
  return inner === undefined ? [] : keysAt(inner, rest);
}

function innerSchema(shape: Bare, part: string | number): z.core.$ZodType | undefined {
  if (shape.kind === 'map') return shape.keys[part];
  if (shape.kind === 'record') return shape.value;
  return shape.kind === 'list' ? shape.item : undefined;
}
