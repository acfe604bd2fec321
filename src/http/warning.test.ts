import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QUOTED_STRING, unquote } from './scanner.ts';
import { formatWarnings } from './warning.ts';

const PREFIX = '299 - ';

describe('formatWarnings', () => {
  it.each<[string, string[], string[]]>([
    ['no texts', [], []],
    [
      'one',
      ['docker.io is down: served from the cache'],
      ['299 - "docker.io is down: served from the cache"'],
    ],
    ['escapes', [String.raw`a "b" \c`], [String.raw`299 - "a \"b\" \\c"`]],
    ['a line break, which would end the header', ['a\r\nSet-Cookie: b'], ['299 - "a??Set-Cookie: b"']],
    ['several', ['a', 'b'], ['299 - "a"', '299 - "b"']],
  ])('writes %s', (_, texts, warnings) => {
    expect(formatWarnings(texts)).toEqual(warnings);
  });

  it('cuts a long text to 4096 characters, never inside an escape', () => {
    expect(formatWarnings(['a'.repeat(100_000)])).toEqual([`299 - "${'a'.repeat(4088)}"`]);
    expect(formatWarnings(['"'.repeat(100_000)])).toEqual([`299 - "${'\\"'.repeat(2044)}"`]);
    expect(formatWarnings([`a${'"'.repeat(100_000)}`])).toEqual([`299 - "a${'\\"'.repeat(2043)}"`]);
  });

  it('leaves out texts that no longer fit', () => {
    expect(formatWarnings(['a'.repeat(4088), 'b'])).toHaveLength(1);
    expect(formatWarnings(['a'.repeat(4080), 'b'])).toEqual([`299 - "${'a'.repeat(4080)}"`]);
    expect(formatWarnings(['a'.repeat(4079), 'bc'])).toEqual([`299 - "${'a'.repeat(4079)}"`, '299 - "b"']);
  });

  it('writes well-formed values of at most 4096 characters in all, that begin as the texts do', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', ' ', '\n', 'é'), maxLength: 5000 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
        const warnings = formatWarnings(texts);
        expect(warnings.join('').length).toBeLessThanOrEqual(4096);
        for (const [i, warning] of warnings.entries()) {
          expect(warning).toMatch(new RegExp(`^${PREFIX}${QUOTED_STRING}$`));
          const shown = unquote(warning.slice(PREFIX.length));
          expect((texts[i] ?? '').replaceAll(/[^\x20-\x7e]/g, '?').startsWith(shown)).toBe(true);
        }
      }),
    );
  });
});
