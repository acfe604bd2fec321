import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { HIT, probed } from './probe.ts';

/** Runs the source with these stretches as sites, numbered from 0. @returns its result, and the sites that it ran */
function run(source: string, stretches: readonly string[], blocks: readonly string[] = []) {
  const sites = [...stretches, ...blocks].map((text, id) => {
    const start = source.indexOf(text);
    return { id, start, end: start + text.length, isBlock: blocks.includes(text) };
  });
  const hits: number[] = [];
  const program = `(() => { ${probed(source, sites)} })()`;
  const result: unknown = runInNewContext(program, { [HIT]: (id: number) => hits.push(id) });
  return { result, hits };
}

it('a probed source has the same result, and reports the sites that it runs', () => {
  expect(run('return 1 + 2 > 3 ? 4 : 5;', ['1 + 2 > 3', '1 + 2', '1', '2', '4', '5'])).toEqual({
    result: 5,
    hits: [0, 1, 2, 3, 5],
  });
});

it('a block reports itself before the sites that begin in it', () => {
  const source = 'try { throw 1; } catch {x(); return 2;}\nfunction x() {}';
  expect(run(source, ['x()'], ['{x(); return 2;}'])).toEqual({ result: 2, hits: [1, 0] });
});

it('the lines of a probed source stay the same', () => {
  const site = { id: 0, start: 0, end: 3, isBlock: false };
  expect(probed('a(\n)\nb', [site]).split('\n')).toHaveLength(3);
});
