import { expect, it } from 'vitest';
import { noteText, outdatedText } from './outdated-text.ts';

it('tells of what is not current, where it stands, and how many are', () => {
  const text = outdatedText([
    {
      image: 'a:1',
      state: 'outdated',
      reasons: ['1 is now sha256:x', '2 is newer'],
      places: [
        { file: 'Dockerfile', line: 1 },
        { file: 'x', line: 7 },
      ],
    },
    { image: 'b:2', state: 'current', reasons: [], places: [] },
    {
      image: 'c:$V',
      state: 'unknown',
      reasons: ['ARG V has no default'],
      places: [{ file: 'evil\u001b[2J', line: 3 }],
    },
    { image: '', state: 'unknown', reasons: ['this is no YAML'], places: [] },
  ]);
  expect(text.split('\n')).toEqual([
    'outdated a:1: 1 is now sha256:x, 2 is newer',
    '  Dockerfile:1',
    '  x:7',
    'unknown c:$V: ARG V has no default',
    '  evil\\u001b[2J:3',
    'unknown: this is no YAML',
    '1 outdated, 2 unknown, 1 current',
  ]);
});

it('a note has its place', () => {
  const message = 'service \u0007 is built, not pulled';
  expect(noteText({ file: 'compose.yaml', line: 3, message })).toBe(
    'compose.yaml:3: service \\u0007 is built, not pulled',
  );
});
