import type { z } from 'zod';
import { alternatives, formatKey, shown, type KeyPath, type ConfigProblem } from '../config-problem.ts';
import { ACCOUNTS } from './interpolate.ts';
import { isMisspelt, nearest } from './nearest.ts';
import { isPlainMap } from './plain-value.ts';
import { keysAt } from './schema-shape.ts';
import { hidden } from '../values/secret.ts';

/** Translates the schema's issues into Larder's words: the expected value, and the one that is there. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.core.$ZodType,
  file: unknown,
): readonly ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey(path, key, keysAt(schema, path)));
    return isMissingMisspelt(schema, file, path) ? [] : [{ path, message: describeIssue(issue, file, path) }];
  });
}

function isMissingMisspelt(schema: z.core.$ZodType, file: unknown, path: KeyPath): boolean {
  const parent = path.slice(0, -1);
  const key = path.at(-1);
  const map = valueAt(file, parent);
  if (!isPlainMap(map) || typeof key !== 'string' || key in map) return false;
  return isMisspelt(map, key, keysAt(schema, parent));
}

function unknownKey(path: KeyPath, key: string, known: readonly string[]): ConfigProblem {
  const meant = nearest(key, known);
  const hint = meant === undefined ? `expected ${alternatives(known)}` : `did you mean ${meant}?`;
  // YAML reads "{bot:secret}" as a map with one key, which holds the secret.
  const isShown = !isSecret(path) || /^[A-Za-z_-]+$/.test(key);
  return { path: isShown ? [...path, key] : path, message: `unknown key, ${hint}` };
}

function describeIssue(issue: z.core.$ZodIssue, file: unknown, path: KeyPath): string {
  if (issue.code === 'custom') return issue.message;
  const value = valueAt(file, path);
  const got = isSecret(path) ? hidden(value) : shown(value);
  return `expected ${expectation(issue)}, got ${got}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value')
    return alternatives(issue.values.map((value) => formatKey(String(value))));
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'boolean') return 'true or false';
  return issue.expected === 'array' ? 'a list' : 'a map of keys and values';
}

function isSecret(path: KeyPath): boolean {
  const key = path[2];
  return typeof key === 'string' && ACCOUNTS.includes(key);
}

function valueAt(file: unknown, path: KeyPath): unknown {
  let value = file;
  for (const part of path) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[part]
        : undefined;
  }
  return value;
}
