import { expect, it } from 'vitest';
import { drawTree } from './draw-tree.ts';

const leaf = (text: string) => ({ text, below: [] });

it('a tree has a line for each node', () => {
  const tree = {
    text: 'index',
    below: [
      { text: 'amd64', below: [leaf('config'), leaf('layer')] },
      { text: 'arm64', below: [leaf('layer')] },
    ],
  };
  expect(drawTree(tree).split('\n')).toEqual([
    'index',
    '├─ amd64',
    '│  ├─ config',
    '│  └─ layer',
    '└─ arm64',
    '   └─ layer',
  ]);
  expect(drawTree(leaf('alone'))).toBe('alone');
});
