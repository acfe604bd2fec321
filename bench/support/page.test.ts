import { expect, it } from 'vitest';
import { replaceFigures } from './page.ts';

const begin = '<!-- figures: written by npm run bench -->';
const end = '<!-- end of figures -->';

it('new figures replace only the earlier figures', () => {
  const page = `# Title\n${begin}\nold\n${end}\nby hand\n`;
  const once = replaceFigures(page, 'new');
  expect(once).toBe(`# Title\n${begin}\n\nnew\n\n${end}\nby hand\n`);
  expect(replaceFigures(once, 'new')).toBe(once);
});

it.each(['no marks', begin, `${end} ${begin}`])('a page that cannot hold figures is refused: %s', (page) => {
  expect(() => replaceFigures(page, 'new')).toThrow('the page needs the marks');
});
