import { z } from 'zod';
import type { PlainMap } from '../source/plain-value.ts';
import { unwrapped } from '../source/schema-shape.ts';
import { isMilliseconds, type InMilliseconds } from '../values/duration.ts';

type Wrapped<Inner extends z.ZodType> = z.ZodPrefault<Inner> | z.ZodOptional<Inner>;

type Unwrapped<Schema> = Schema extends Wrapped<infer Inner> ? Inner : Schema;

type ProgramName<Key, Schema> = Unwrapped<Schema> extends InMilliseconds ? `${Key & string}Ms` : Key;

/** A section in the program. Its durations are milliseconds, and their names say so: `ttl` → `ttlMs`. */
export type SectionValue<Shape extends z.ZodRawShape> = {
  readonly [Key in keyof Shape as ProgramName<Key, Shape[Key]>]: z.output<Shape[Key]>;
};

/** A map in the file of which every key may be left out. */
export type Section<Shape extends z.ZodRawShape> = z.ZodCodec<
  z.ZodType<PlainMap>,
  z.ZodCustom<SectionValue<Shape>>
>;

/** Makes a section that is printed with all its keys. */
export function section<Shape extends z.ZodRawShape>(shape: Shape): Section<Shape> {
  return sectionOf(shape, (_, value) => value !== undefined);
}

/** Makes a section that is printed without the keys that have their default. */
export function sparseSection<Shape extends z.ZodRawShape>(shape: Shape): Section<Shape> {
  return sectionOf(shape, (key, value) => !isDefault(value, shape[key]));
}

function sectionOf<Shape extends z.ZodRawShape>(
  shape: Shape,
  isWritten: (key: string, value: unknown) => boolean,
): Section<Shape> {
  const map: z.ZodType<PlainMap, PlainMap> = z.strictObject(shape);
  // A map without any keys is null in YAML. `z.preprocess` would turn it into a map, but cannot be encoded.
  const keys = z.codec(z.unknown(), map, {
    decode: (value) => (value ?? {}) as PlainMap,
    encode: (written) =>
      Object.fromEntries(Object.entries(written).filter(([key, value]) => isWritten(key, value))),
  });
  return z.codec(keys, z.custom<SectionValue<Shape>>(), {
    decode: (value) => byProgramNames(value, shape) as SectionValue<Shape>,
    encode: (value) => byFileNames(value as PlainMap, shape),
  });
}

function byProgramNames(value: PlainMap, shape: z.ZodRawShape): PlainMap {
  const present = Object.entries(shape).filter(([key]) => Object.hasOwn(value, key));
  return Object.fromEntries(present.map(([key, schema]) => [programName(key, schema), value[key]]));
}

function byFileNames(value: PlainMap, shape: z.ZodRawShape): PlainMap {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => [key, value[programName(key, schema)]]),
  );
}

function programName(key: string, schema: z.core.$ZodType): string {
  return isMilliseconds(unwrapped(schema)) ? `${key}Ms` : key;
}

function isDefault(value: unknown, schema: z.core.$ZodType | undefined): boolean {
  const fallback = schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;
  return JSON.stringify(value) === JSON.stringify(fallback);
}

/** A section's keys without their defaults: another section with the same keys supplies missing values. */
export type Overriding<Shape extends z.ZodRawShape> = {
  readonly [Key in keyof Shape]: z.ZodOptional<Extract<Unwrapped<Shape[Key]>, z.ZodType>>;
};

/** Makes the same keys optional, without their defaults. */
export function overriding<Shape extends z.ZodRawShape>(shape: Shape): Overriding<Shape> {
  const keys = Object.entries(shape).map(([key, schema]) => {
    const { description } = z.globalRegistry.get(schema) ?? {};
    return [key, z.optional(unwrapped(schema)).describe(description ?? '')];
  });
  return Object.fromEntries(keys) as Overriding<Shape>;
}
