import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml } from './yaml-source.ts';

describe('parseYaml', () => {
  it('keeps variables in flow maps, quoted text, keys and comments as they are', () => {
    const text = 'a: { b: ${X}, "${K}": "x${Y}z" } # ${Z}\nc: ${NOT A NAME}\n';
    expect(parseYaml(text)).toMatchObject({
      value: { a: { b: '${X}', '${K}': 'x${Y}z' }, c: '${NOT A NAME}' },
      problems: [],
    });
  });

  it('finds the line of keys and list items, else of the nearest around them', () => {
    const { positionOf } = parseYaml('# first\na:\n  b:\n    - x\n    - { c: 1 }\n"d.e": 1\n');
    const lineOf = (...path: (string | number)[]): number => positionOf(path).line;
    expect(lineOf()).toBe(2);
    expect(lineOf('a')).toBe(2);
    expect(lineOf('a', 'b')).toBe(3);
    expect(lineOf('a', 'b', 0)).toBe(4);
    expect(lineOf('a', 'b', 1, 'c')).toBe(5);
    expect(lineOf('d.e')).toBe(6);
    expect(lineOf('a', 'absent', 'x')).toBe(2);
    expect(lineOf('absent')).toBe(2);
  });

  it('takes an empty file for null, at line 1', () => {
    const { value, problems, positionOf } = parseYaml('');
    expect({ value, problems, position: positionOf(['a']) }).toEqual({
      value: null,
      problems: [],
      position: { line: 1, column: 1 },
    });
  });

  it('reports every broken line, once', () => {
    const { value, problems } = parseYaml('a: @x\nb: 1\nc: `y\n');
    expect(value).toBeUndefined();
    expect(problems.map(({ position }) => position.line)).toEqual([1, 3]);
  });

  it.each([
    'a: *hunter2',
    'a: !hunter2 x',
    'a: !!hunter2 x',
    'a: !<hunter2',
    'a: !h!hunter2 x',
    'a: "x" hunter2',
    'a: { b: "x" hunter2 }',
    'a: [x, hunter2',
    'a: "hunter2',
    'a: &hunter2: x\nb: *hunter2:',
    'a: |hunter2',
    'a: > hunter2',
    'a: "\\hunter2"',
    'a: }hunter2',
    'a: - hunter2',
    'a: b: hunter2',
    'a: @hunter2',
    '%hunter2\n---\na: 1',
    'a: 1\n--- hunter2',
  ])('never repeats what %j holds', (text) => {
    const { problems } = parseYaml(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('throws nothing', () => {
    const nearly = fc.stringMatching(/^[-a-c:{}[\],&*!|>'"%@#?$<~0-1 \n]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        const { value, problems } = parseYaml(text);
        expect(value === undefined).toBe(problems.some(({ path }) => path.length === 0));
      }),
      { numRuns: 2000 },
    );
  });
});
