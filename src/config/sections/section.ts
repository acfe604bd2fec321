import { z } from 'zod';
import type { PlainMap } from '../source/plain-value.ts';
import { unwrapped } from '../source/schema-shape.ts';
import { isMilliseconds, type InMilliseconds } from '../values/duration.ts';

type Wrapped<Inner extends z.ZodType> = z.ZodPrefault<Inner> | z.ZodOptional<Inner>;

type Unwrapped<Schema> = Schema extends Wrapped<infer Inner> ? Inner : Schema;

type ProgramName<Key, Schema> = Unwrapped<Schema> extends InMilliseconds ? `${Key & string}Ms` : Key;

/** A section as the program has it. Its durations are milliseconds, which their names say: `ttl` → `ttlMs`. */
export type SectionValue<Shape extends z.ZodRawShape> = {
  readonly [Key in keyof Shape as ProgramName<Key, Shape[Key]>]: z.output<Shape[Key]>;
};

/** A map of the file, every key of which may be left out. */
export type Section<Shape extends z.ZodRawShape> = z.ZodCodec<
  z.ZodType<PlainMap>,
  z.ZodCustom<SectionValue<Shape>>
>;

/** A section that is written whole. */
export function section<Shape extends z.ZodRawShape>(shape: Shape): Section<Shape> {
  return sectionOf(shape, (_, value) => value !== undefined);
}

/** A section that is written without the keys that are at their default. */
export function sparseSection<Shape extends z.ZodRawShape>(shape: Shape): Section<Shape> {
  return sectionOf(shape, (key, value) => !isDefault(value, shape[key]));
}

function sectionOf<Shape extends z.ZodRawShape>(
  shape: Shape,
  isWritten: (key: string, value: unknown) => boolean,
): Section<Shape> {
  const map: z.ZodType<PlainMap, PlainMap> = z.strictObject(shape);
  // Written without any of its keys, YAML makes a map null. `preprocess` would say so, and cannot be encoded.
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
  const said = Object.entries(shape).filter(([key]) => Object.hasOwn(value, key));
  return Object.fromEntries(said.map(([key, schema]) => [programName(key, schema), value[key]]));
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

/** The keys of a section without their defaults: what is not said is left to another section of the same keys. */
export type Overriding<Shape extends z.ZodRawShape> = {
  readonly [Key in keyof Shape]: z.ZodOptional<Extract<Unwrapped<Shape[Key]>, z.ZodType>>;
};

/** The same keys, each to be left out. */
export function overriding<Shape extends z.ZodRawShape>(shape: Shape): Overriding<Shape> {
  const keys = Object.entries(shape).map(([key, schema]) => {
    const { description } = z.globalRegistry.get(schema) ?? {};
    return [key, z.optional(unwrapped(schema)).describe(description ?? '')];
  });
  return Object.fromEntries(keys) as Overriding<Shape>;
}
