import { z } from 'zod';
import { shown } from '../config-problem.ts';
import { ValueError, valueOrError } from './value-error.ts';

/** A single value of the file, with its way in and out: what stands in YAML ↔ what the program uses. */
export type Leaf<T> = z.ZodCodec<z.ZodUnknown, z.ZodCustom<T>>;

interface LeafOptions<T> {
  /** The kind of value, as the reference names it. */
  readonly title: string;
  /** Throws ValueError. */
  readonly read: (value: unknown) => T;
  /** The inverse of `read`. */
  readonly write: (value: T) => unknown;
  /** How a wrong value is shown; a secret must not be. */
  readonly got?: (value: unknown) => string;
}

/** A leaf that refuses with "expected …, got …". */
export function leaf<T>({ title, read, write, got = shown }: LeafOptions<T>): Leaf<T> {
  return z
    .codec(z.unknown(), z.custom<T>(), {
      decode(value, context): T {
        const result = valueOrError(() => read(value));
        if (!(result instanceof ValueError)) return result;
        const message = `${result.message}, got ${got(value)}`;
        context.issues.push({ code: 'custom', message, input: value });
        return z.NEVER;
      },
      encode: write,
    })
    .meta({ title });
}

interface TextLeafOptions<T> {
  readonly title: string;
  /** What is said of a value that is no text. */
  readonly expected: string;
  /** Throws ValueError. */
  readonly parse: (text: string) => T;
  /** The inverse of `parse`. */
  readonly format: (value: T) => string;
}

/** A leaf that is written as text. */
export function textLeaf<T>({ title, expected, parse, format }: TextLeafOptions<T>): Leaf<T> {
  const read = (value: unknown): T => {
    if (typeof value !== 'string') throw new ValueError(expected);
    return parse(value);
  };
  return leaf({ title, read, write: format });
}

/** For values that are written as they are used. */
export function unchanged<T>(value: T): T {
  return value;
}
