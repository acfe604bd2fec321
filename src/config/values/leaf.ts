import { z } from 'zod';
import { shown } from '../config-problem.ts';
import { ValueError, valueOrError } from './value-error.ts';

/** A single value of the file, which translates in both directions: the YAML value ↔ the program's value. */
export type Leaf<T> = z.ZodCodec<z.ZodUnknown, z.ZodCustom<T>>;

interface LeafOptions<T> {
  /** The name of the kind of value in the reference. */
  readonly title: string;
  /** Reads a value. Throws ValueError. */
  readonly read: (value: unknown) => T;
  /** The inverse of `read`. */
  readonly write: (value: T) => unknown;
  /** Formats a wrong value for a message; must hide a secret. */
  readonly got?: (value: unknown) => string;
}

/** Makes a leaf that refuses values with "expected …, got …". */
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
  /** The message about a value that is no text, after "expected". */
  readonly expected: string;
  /** Reads a value. Throws ValueError. */
  readonly parse: (text: string) => T;
  /** The inverse of `parse`. */
  readonly format: (value: T) => string;
}

/** Makes a leaf that is written as text. */
export function textLeaf<T>({ title, expected, parse, format }: TextLeafOptions<T>): Leaf<T> {
  const read = (value: unknown): T => {
    if (typeof value !== 'string') throw new ValueError(expected);
    return parse(value);
  };
  return leaf({ title, read, write: format });
}

/** Returns the value itself, for values that are written as they are used. */
export function unchanged<T>(value: T): T {
  return value;
}
