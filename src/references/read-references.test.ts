import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOfFile } from './kind-of-file.ts';
import { readReferences } from './read-references.ts';

describe('the kind of a file', () => {
  it.each([
    ['Dockerfile', '', 'dockerfile'],
    ['Dockerfile.dev', '', 'dockerfile'],
    ['Containerfile', '', 'dockerfile'],
    ['web.dockerfile', '', 'dockerfile'],
    ['build.txt', '# base\nFROM debian', 'dockerfile'],
    ['list.txt', 'debian\n', 'list'],
    ['-', 'debian\n', 'list'],
    ['-', '', 'list'],
    ['-', '---\napiVersion: v1\nkind: Pod\ndata:\n  x: |\n    FROM a\n', 'kubernetes'],
    ['-', '{ "kind": "Pod",\n"apiVersion": "v1" }', 'kubernetes'],
    ['-', 'name: a\nservices:\n  a: {}\n', 'compose'],
    ['-', '- debian:12\n', 'image-list'],
    ['-', 'ARG A=1\n  FROM a\n', 'dockerfile'],
    ['-', 'FROM a\nRUN <<EOF\nservices:\n- a\nEOF\n', 'dockerfile'],
    ['compose.yaml', 'services: {}', 'compose'],
    ['any.yml', 'name: a\n---\nservices: {}', 'compose'],
    ['app.yaml', '---\n---\napiVersion: v1\nkind: Pod\nservices: {}', 'kubernetes'],
    ['app.json', '{"apiVersion": "v1", "kind": "Pod"}', 'kubernetes'],
    ['images.yaml', 'images: [a]', 'image-list'],
    ['images.yml', '- a', 'image-list'],
    ['chart.yaml', 'apiVersion: v1\nkind: Pod\nspec:\n{{- x }}\n', 'kubernetes'],
    ['broken.yaml', 'services:\n  a: [\n', 'compose'],
    ['values.yaml', 'images: { a: b }', undefined],
    ['values.yaml', 'replicas: 1', undefined],
    ['values.yaml', 'image: { services: 1 }', undefined],
    ['values.yaml', '', undefined],
  ])('%s with %j is %s', (name, text, kind) => {
    expect(kindOfFile(name, text)).toBe(kind);
  });
});

describe('a list', () => {
  it('has a reference a line, and comments', () => {
    const found = readReferences(
      'list',
      'list.txt',
      '\uFEFFdebian:12 # stable\r\n\n# none\n  a/b@x\nghcr.io/a/b c\n',
    );
    expect(found.images.map(({ text, place }) => [text, place])).toEqual([
      ['debian:12', { file: 'list.txt', line: 1 }],
    ]);
    expect(found.unresolved.map(({ text, place }) => [text, place.line])).toEqual([
      ['a/b@x', 4],
      ['ghcr.io/a/b c', 5],
    ]);
  });
});

describe('a list in YAML', () => {
  const read = (text: string) => {
    const { images, unresolved } = readReferences('image-list', 'images.yaml', text);
    return [
      ...images.map(({ text: image, place, platforms }) => [place.line, image, platforms]),
      ...unresolved.map(({ place, reason }) => [place.line, reason]),
    ];
  };

  it.each([
    [
      '- a:1\n- b:1.10\n',
      [
        [1, 'a:1', undefined],
        [2, 'b:1.10', undefined],
      ],
    ],
    ['images:\n- a:1\n', [[2, 'a:1', undefined]]],
    ['- ref: a:1\n  platforms: [linux/amd64, linux/arm64]\n', [[1, 'a:1', ['linux/amd64', 'linux/arm64']]]],
    ['', []],
    ['- [a]\n', [[1, 'expected a reference, or a map with "ref"']]],
    ['- {image: a}\n', [[1, 'expected a reference, or a map with "ref"']]],
    ['images: a\n', [[1, 'expected a list of images, or a map with one under "images"']]],
    ['other: []\n', [[1, 'expected a list of images, or a map with one under "images"']]],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});

describe('every kind', () => {
  const kinds = ['dockerfile', 'compose', 'kubernetes', 'image-list', 'list'] as const;

  it.each(kinds)('%s is read', (kind) => {
    expect(readReferences(kind, 'f', '')).toMatchObject({ images: [], unresolved: [], notes: [] });
  });

  const words =
    'services images containers image volumes ref build apiVersion kind x a:1 FROM ARG COPY'.split(' ');
  const signs = [
    ': ',
    ':',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '"',
    "'",
    '#',
    '? ',
    '|\n',
    '---\n',
    '\\\n',
    '\t',
  ];
  const more = [
    '&a ',
    '*a',
    '<<: *a',
    '${V:-b}',
    '$V',
    '!!binary ',
    '%YAML 9\n',
    ' V=',
    ' --from=',
    '<<E',
    ' ',
  ];
  const piece = fc.constantFrom(...words, ...signs, ...more, '\n', '\n  ', '\n    ');

  it('of any text is read without an error, and each finding stands on one of its lines', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.array(piece, { maxLength: 30 }), (kind, pieces) => {
        const text = pieces.join('');
        kindOfFile('-', text);
        const { images, unresolved, notes } = readReferences(kind, 'f', text);
        const lines = [...images, ...unresolved, ...notes].map(({ place }) => place.line);
        const last = text.split('\n').length;
        expect(lines.filter((line) => !(line >= 1 && line <= last))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
