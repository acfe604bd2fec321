import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replaceVariables, UnresolvedError, type VariableRules } from './variables.ts';

const VALUES = new Map([
  ['A', 'a'],
  ['TAG_1', '1.2'],
  ['EMPTY', ''],
]);

const COMPOSE: VariableRules = {
  lookup: (name) => VALUES.get(name),
  describeMissing: (name) => `${name} is missing`,
};

const DOCKERFILE: VariableRules = { ...COMPOSE, escape: '\\' };

describe('in every file', () => {
  it.each([
    ['', ''],
    ['debian:12', 'debian:12'],
    ['$A:$TAG_1', 'a:1.2'],
    ['x${A}y', 'xay'],
    ['${A}${TAG_1}', 'a1.2'],
    ['${A:-b}', 'a'],
    ['${A-b}', 'a'],
    ['${NONE:-b}', 'b'],
    ['${NONE-b}', 'b'],
    ['${NONE:-}', ''],
    ['${EMPTY:-b}', 'b'],
    ['${EMPTY-b}', ''],
    ['${A:+b}', 'b'],
    ['${A+b}', 'b'],
    ['${EMPTY:+b}', ''],
    ['${EMPTY+b}', 'b'],
    ['${NONE:+b}', ''],
    ['${A:?needed}', 'a'],
    ['${NONE:-${A}}', 'a'],
    ['${NONE:-x${OTHER:-${TAG_1}}y}z', 'x1.2yz'],
    ['${A:-${NONE}}', 'a'],
    ['${NONE:+${OTHER}}', ''],
    ['5$', '5$'],
    ['$1', '$1'],
  ])('%s gives %s', (text, expected) => {
    expect(replaceVariables(text, COMPOSE)).toBe(expected);
    expect(replaceVariables(text, DOCKERFILE)).toBe(expected);
  });

  it.each([
    ['$NONE', 'NONE is missing'],
    ['${NONE}', 'NONE is missing'],
    ['a${NONE:?needed}', 'NONE is missing'],
    ['${EMPTY:?needed}', 'EMPTY is missing'],
    ['${NONE:-$OTHER}', 'OTHER is missing'],
    ['${A', 'a brace in ${A is not closed'],
    ['${NONE:-${A}', 'is not closed'],
    ['${}', '${} is a form that is not understood'],
    ['${A%.*}', '${A%.*} is a form that is not understood'],
    ['${A/a/b}', 'is a form that is not understood'],
    ['${1}', 'is a form that is not understood'],
    [`${'${NONE:-'.repeat(22)}x${'}'.repeat(22)}`, 'nested too deeply'],
  ])('%s cannot be told: %s', (text, message) => {
    for (const rules of [COMPOSE, DOCKERFILE]) {
      expect(() => replaceVariables(text, rules)).toThrow(
        expect.objectContaining({ name: 'UnresolvedError', message: expect.stringContaining(message) }),
      );
    }
  });

  it('no text throws anything else, and one without "$", quotes and escapes stays as it is', () => {
    const text = fc.stringMatching(/^(?:[a-z:$"'\\{}?+-]|\$\{A|\$\{NONE:-){0,30}$/);
    fc.assert(
      fc.property(text, fc.constantFrom(COMPOSE, DOCKERFILE), (typed, rules) => {
        const replaced = replacedOrRefused(typed, rules);
        if (!/[$"'\\]/.test(typed) && replaced !== typed) throw new Error(`${typed} became ${replaced}`);
      }),
      { numRuns: 1000 },
    );
  });
});

function replacedOrRefused(text: string, rules: VariableRules): string {
  try {
    return replaceVariables(text, rules);
  } catch (error) {
    if (error instanceof UnresolvedError) return '';
    throw error;
  }
}

describe('in a compose file', () => {
  it.each([
    ['$$A', '$A'],
    ['$$$A', '$a'],
    ['$${A}', '${A}'],
    [`"A'\\`, `"A'\\`],
  ])('%s gives %s', (text, expected) => {
    expect(replaceVariables(text, COMPOSE)).toBe(expected);
  });
});

describe('in a Dockerfile', () => {
  it.each([
    ['"$A:x"', 'a:x'],
    ["'$A':x", '$A:x'],
    ['\\$A', '$A'],
    ['"\\$A"', '$A'],
    ['"\\a"', '\\a'],
    ["'\\'", '\\'],
    [`"it's"`, "it's"],
    ['a\\', 'a'],
  ])('%s gives %s', (text, expected) => {
    expect(replaceVariables(text, DOCKERFILE)).toBe(expected);
  });

  it('the escape character may be another', () => {
    expect(replaceVariables('`$A\\b', { ...COMPOSE, escape: '`' })).toBe('$A\\b');
  });
});
