import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../test/support/code-of.ts';
import { MAX_MANIFEST_BYTES, isJsonObject, parseJsonObject } from './json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** An object of exactly `length` bytes. */
function objectOfLength(length: number): Uint8Array {
  return bytes(`{"a":"${'x'.repeat(length - 8)}"}`);
}

function isObjectText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
}

describe('parseJsonObject', () => {
  it('is undone by JSON.stringify', () => {
    const json = fc.json({ depthSize: 'medium' }).map((text) => ({ value: JSON.parse(text) as unknown }));
    fc.assert(
      fc.property(json, (value) => {
        expect(parseJsonObject(bytes(JSON.stringify(value)))).toEqual(value);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"a"'],
    ['half an object', '{"a":'],
    ['an unclosed text', '{"a":"'],
    ['a backslash at the end', '{"a":"\\'],
    ['two objects', '{}{}'],
    ['a web page', '<!doctype html><html></html>'],
    ['a byte order mark', '\ufeff{}'],
  ])('refuses %s', (_, text) => {
    expect(codeOf(() => parseJsonObject(bytes(text)))).toBe('MANIFEST_INVALID');
  });

  it("replaces bytes that are not UTF-8, as Go's decoder does", () => {
    expect(parseJsonObject(Buffer.from('{"author":"Ren\u00e9"}', 'latin1'))).toEqual({ author: 'Ren\ufffd' });
  });

  it('accepts 4 MiB and not a byte more', () => {
    expect(parseJsonObject(objectOfLength(MAX_MANIFEST_BYTES))).toHaveProperty('a');
    expect(() => parseJsonObject(objectOfLength(MAX_MANIFEST_BYTES + 1))).toThrow(/too many/);
  });

  it('bounds the depth, without counting brackets inside texts', () => {
    const nested = (depth: number) => bytes(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`);
    expect(parseJsonObject(nested(64))).toHaveProperty('a');
    expect(() => parseJsonObject(nested(65))).toThrow(/deep/);
    expect(() => parseJsonObject(bytes('{"a":'.repeat(100_000)))).toThrow(/deep/);
    expect(parseJsonObject(bytes(JSON.stringify({ a: '[{\\"'.repeat(1000) })))).toHaveProperty('a');
  });

  it('bounds the number of values, without counting commas inside texts', () => {
    expect(() => parseJsonObject(bytes(`{"a":[${'0,'.repeat(200_000)}0]}`))).toThrow(/values/);
    expect(() => parseJsonObject(bytes(`{"a":[${'{},'.repeat(150_000)}0]}`))).toThrow(/values/);
    expect(parseJsonObject(bytes(JSON.stringify({ a: ',,"['.repeat(300_000) })))).toHaveProperty('a');
  });

  it('accepts every text of an object, and throws only MANIFEST_INVALID for others', () => {
    const part = fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', '"a"', 'null', ' ', '\u00e9');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const code = isObjectText(text) ? undefined : 'MANIFEST_INVALID';
        expect(codeOf(() => parseJsonObject(bytes(text)))).toBe(code);
      }),
      { numRuns: 1000 },
    );
  });
});
