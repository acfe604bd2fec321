import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeControls, escapeControlsInJson } from './controls.ts';

describe('escapeControls', () => {
  test.each([
    ['plain text, Grüße, 日本語 🙂', 'plain text, Grüße, 日本語 🙂'],
    ['a\nb\r\tc\0', 'a\\u000ab\\u000d\\u0009c\\u0000'],
    ['\u001b[31m', '\\u001b[31m'],
    ['\u007f\u0085\u009b31m', '\\u007f\\u0085\\u009b31m'],
    ['\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
    ['\u061c\u200e\u200f\u200b\u00ad\ufeff', '\\u061c\\u200e\\u200f\\u200b\\u00ad\\ufeff'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u{e0041}', '\\udb40\\udc41'],
    ['\ud800', '\\ud800'],
  ])('%j: %j', (text, expected) => expect(escapeControls(text)).toBe(expected));

  test('leaves no control, and changes nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeControls(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
        expect(JSON.parse(escapeControlsInJson(JSON.stringify({ text })))).toEqual({ text });
        expect(escapeControlsInJson(JSON.stringify(text))).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      }),
    );
  });
});
