import { describe, expect, it } from 'vitest';
import { findMutants } from './find-mutants.ts';
import { lineOf, mutated } from './mutant.ts';

/** Returns the source as each of its mutants changes it. */
function variants(source: string): string[] {
  return findMutants(source).map((mutant) => mutated(source, mutant));
}

describe('the mutants of a source', () => {
  it.each([
    ['a condition', 'if (a) b = c;', ['if (!(a)) b = c;', 'if (false) b = c;', 'if (true) b = c;']],
    [
      'the condition of a loop, which would hang',
      'while (a) b = c;',
      ['while (!(a)) b = c;', 'while (false) b = c;'],
    ],
    ['a boundary', 'x = a < b;', ['x = (a) <= (b);']],
    ['an equality', 'x = a === b;', ['x = (a) !== (b);']],
    ['arithmetic', 'x = a + b;', ['x = (a) - (b);']],
    ['operands in parentheses', 'x = (a - b) * c;', ['x = (a - b) / (c);', 'x = ((a) + (b)) * c;']],
    ['a logical operator', 'x = a && b;', ['x = ((a) || (b));']],
    ['several', 'x = a || b && c;', ['x = ((a) && (b && c));', 'x = a || ((b) || (c));']],
    ['a default', 'x = a ?? b;', ['x = (a);']],
    ['a call', 'a.b();', ['undefined;']],
    ['an optional call', 'a?.b();', ['undefined;']],
    ['a call that is waited for', 'await a();', ['undefined;', 'a();']],
    ['a returned value', 'function f() { return a; }', ['function f() { return undefined; }']],
    ['a returned boolean', 'function f() { return true; }', ['function f() { return false; }']],
    ['a returned list', 'function f() { return [a]; }', ['function f() { return []; }']],
    ['the value of an arrow', 'x = (a) => a;', ['x = (a) => undefined;']],
    ['a number', 'x = 21;', ['x = 42;']],
    ['zero', 'x = 0;', ['x = 1;']],
    ['a catch', 'try {} catch { a = b; }', ['try {} catch {}']],
    ['a finally', 'try {} finally { a = b; }', ['try {} finally {}']],
  ])('change %s', (_, source, expected) => {
    expect(variants(source)).toEqual(expected);
  });

  it('negate an equality only once if it is a whole condition', () => {
    expect(variants('if (a === b) c = d;')).toEqual([
      'if (!(a === b)) c = d;',
      'if (false) c = d;',
      'if (true) c = d;',
    ]);
  });

  it.each([
    ['types', 'type A = 1 | 2; let x: readonly [0, 1];'],
    ['texts', "x = 'a' + b + 'c'; y = `${a + 1}`;"],
    ['names that are numbers', 'x = { 1: a };'],
    ['assignments', 'this.a = b;'],
    ['what a constructor hands up', 'class A extends B { constructor() { super(); } }'],
    ['nothing', 'function f() { return; } function g() { return undefined; } x = () => {}; try {} catch {}'],
    ['optional chains and spread', 'x = [...a?.b];'],
  ])('leave %s alone', (_, source) => {
    expect(variants(source)).toEqual([]);
  });

  it('are static where loading the module runs them', () => {
    const source = 'const A = 1; class B { c = 2; static d = 3; e() { x = 4; } } const f = () => { x = 5; };';
    const statics = findMutants(source).filter(({ isStatic }) => isStatic);
    expect(statics.map(({ start, end }) => source.slice(start, end))).toEqual(['1', '3']);
  });

  it('need a source that parses', () => {
    expect(() => findMutants('if (')).toThrow('Unexpected token');
  });
});

it('a line is counted from 1', () => {
  expect([lineOf('a\nb', 0), lineOf('a\nb', 2)]).toEqual([1, 2]);
});
