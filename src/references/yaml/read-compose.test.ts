import { describe, expect, it } from 'vitest';
import { readCompose } from './read-compose.ts';

function read(text: string, variables: ReadonlyArray<readonly [string, string]> = []) {
  const { images, unresolved, notes } = readCompose('compose.yaml', text, { variables: new Map(variables) });
  return {
    images: images.map(({ text: image, place, platforms = [] }) =>
      [`${place.line}: ${image}`, ...platforms].join(' '),
    ),
    others: [
      ...unresolved.map(({ text: image, place, reason }) => `${place.line}: ${image}: ${reason}`),
      ...notes.map(({ place, message }) => `${place.line}: ${message}`),
    ],
  };
}

describe('a compose file', () => {
  it('gives the images of its services', () => {
    const text = `
name: shop
services:
  web:
    image: nginx:1.27
  db:
    image: "postgres:\${PG:-17}"
    platform: linux/amd64
  old: { image: redis:$$5, volumes: [./data:/data] }
volumes: { image: { image: no:1 } }
`;
    expect(read(text).images).toEqual(['5: nginx:1.27', '7: postgres:17 linux/amd64']);
    expect(read(text).others).toEqual([expect.stringMatching(/^9: redis:\$5: "\$5" is not a tag/)]);
  });

  it('names the variables that have no value, and uses those that are given', () => {
    const text = 'services:\n  web:\n    image: nginx:${TAG}\n  db:\n    image: ${DB?}\n';
    expect(read(text)).toEqual({
      images: [],
      others: [
        '3: nginx:${TAG}: the variable TAG has no default',
        '5: ${DB?}: the variable DB has no default',
      ],
    });
    expect(
      read(text, [
        ['TAG', '1'],
        ['DB', 'pg:2'],
      ]),
    ).toEqual({ images: ['3: nginx:1', '5: pg:2'], others: [] });
  });

  it('leaves out what is built, and says so', () => {
    const text = 'services:\n  web:\n    build: .\n    image: acme/web:dev\n  db:\n    image: pg:1\n';
    expect(read(text)).toEqual({ images: ['6: pg:1'], others: ['3: service web is built, not pulled'] });
  });

  it.each([
    ['services:\n  web:\n    command: x\n', '3: service web names no image'],
    [
      'services:\n  web:\n    extends: base\n',
      '3: service web takes its image from the service that it extends',
    ],
    ['include: [other.yaml]\n', '1: the files that it includes are not read'],
  ])('%j has no image, and says so', (text, note) => {
    expect(read(text)).toEqual({ images: [], others: [note] });
  });

  it('may use anchors, merge keys and several documents', () => {
    const text = `
x-base: &base
  image: debian:12
  platform: linux/arm64
x-name: &name redis:7
services:
  a:
    <<: *base
  b:
    <<: [*base]
    image: debian:13
  c:
    image: *name
---
services: { d: { image: alpine:3 } }
`;
    expect(read(text)).toEqual({
      images: ['3: debian:12 linux/arm64', '11: debian:13 linux/arm64', '5: redis:7', '15: alpine:3'],
      others: [],
    });
  });

  it.each(['image: *none', 'image:', 'image: [a]'])('names %s, which is no image', (image) => {
    expect(read(`services:\n  a:\n    ${image}\n`)).toEqual({
      images: [],
      others: ['3: : expected the name of an image'],
    });
  });

  it('gives the images that are mounted', () => {
    const text =
      'services:\n  a:\n    image: a:1\n    volumes:\n      - x:/y\n      - type: image\n        source: b:1\n';
    expect(read(text).images).toEqual(['3: a:1', '7: b:1']);
  });

  it.each(['services:', 'services: 1', '[]', '', 'services: { a: }', 'services: { a: &a { <<: *a } }'])(
    '%j gives none',
    (text) => {
      expect(read(text).images).toEqual([]);
    },
  );

  it('that is no YAML in part is read in part', () => {
    expect(
      read('services: { a: { image: a:1 } }\n---\n{{ no }}: [\n---\nservices: { b: { image: b:1 } }'),
    ).toEqual({
      images: ['1: a:1', '5: b:1'],
      others: [expect.stringMatching(/^\d: : this is no YAML: /)],
    });
  });
});
