import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { readKubernetes } from './read-kubernetes.ts';

function read(text: string) {
  const { images, unresolved } = readKubernetes('app.yaml', text);
  return {
    images: images.map(({ text: image, place }) => `${place.line}: ${image}`),
    unresolved: unresolved.map(({ text: image, place, reason }) => `${place.line}: ${image}: ${reason}`),
  };
}

const POD = {
  initContainers: [{ name: 'i', image: 'init:1' }],
  containers: [
    { name: 'a', image: 'app:1' },
    { name: 'b', image: 'ghcr.io/acme/b:2' },
  ],
  ephemeralContainers: [{ name: 'e', image: 'debug:1' }],
  volumes: [
    { name: 'v', image: { reference: 'data:1', pullPolicy: 'Always' } },
    { name: 'w', configMap: { name: 'image' } },
  ],
};

const IMAGES = ['init:1', 'app:1', 'ghcr.io/acme/b:2', 'debug:1', 'data:1'];

const TEMPLATE = { template: { metadata: {}, spec: POD } };

describe('the images of a pod', () => {
  it.each<[string, unknown]>([
    ['Pod', { spec: POD }],
    ['Deployment', { spec: { replicas: 1, ...TEMPLATE } }],
    ['StatefulSet', { spec: TEMPLATE }],
    ['DaemonSet', { spec: TEMPLATE }],
    ['ReplicaSet', { spec: TEMPLATE }],
    ['Job', { spec: TEMPLATE }],
    ['CronJob', { spec: { jobTemplate: { spec: TEMPLATE } } }],
    [
      'List',
      {
        items: [
          { kind: 'Service', spec: {} },
          { kind: 'Pod', spec: POD },
        ],
      },
    ],
    ['Rollout', { spec: { workload: { groups: [[{ deep: TEMPLATE }]] } } }],
  ])('are found in a %s', (kind, rest) => {
    const text = stringify({ apiVersion: 'v1', kind, ...(rest as object) });
    const { images, unresolved } = readKubernetes('f', text);
    expect(unresolved).toEqual([]);
    expect(images.map((found) => found.text)).toEqual(IMAGES);
    for (const { text: image, place } of images) expect(text.split('\n')[place.line - 1]).toContain(image);
  });

  it('are found in JSON', () => {
    const { images } = readKubernetes('f', JSON.stringify({ kind: 'Pod', spec: POD }));
    expect(images.map((found) => found.text)).toEqual(IMAGES);
  });
});

describe('manifests', () => {
  it('are read document by document', () => {
    expect(
      read(
        'kind: Pod\nspec: { containers: [{ image: a }] }\n---\n---\nspec:\n  containers:\n  - image: b:2\n',
      ),
    ).toEqual({
      images: ['2: a', '7: b:2'],
      unresolved: [],
    });
  });

  it.each([
    ['an image elsewhere', 'kind: Prometheus\nspec: { image: a:1 }'],
    [
      'a schema',
      'kind: CustomResourceDefinition\nspec: { containers: { items: { image: { type: string } } } }',
    ],
    ['a container without an image', 'spec: { containers: [{ name: a }, x, null] }'],
    ['nothing', ''],
    ['a text', 'containers'],
  ])('%s is none', (_, text) => {
    expect(read(text)).toEqual({ images: [], unresolved: [] });
  });

  it.each(['*none', '', '{}'])('name an image %j, which is none', (image) => {
    const { images, unresolved } = read(`spec:\n  containers:\n    - image: ${image}\n`);
    expect([images, unresolved]).toEqual([[], ['3: : expected the name of an image']]);
  });

  it('name what is no reference', () => {
    expect(read('spec:\n  containers:\n    - image: a:${TAG}\n').unresolved).toEqual([
      expect.stringMatching(/^3: a:\$\{TAG\}: "\$\{TAG\}" is not a tag/),
    ]);
  });

  it('that are templates of Helm are named as no YAML', () => {
    const { images, unresolved } = read('kind: Pod\nspec:\n{{- toYaml .Values.spec | nindent 2 }}\n');
    expect(images).toEqual([]);
    expect(unresolved).toEqual([expect.stringMatching(/^\d: : this is no YAML: /)]);
  });

  it('with aliases that multiply are read in no time, and each list once', () => {
    const levels = Array.from({ length: 40 }, (_, n) => `l${n + 1}: &l${n + 1} [*l${n}, *l${n}, *l${n}]`);
    const text = ['l0: &l0 { containers: [{ image: a:1 }] }', ...levels].join('\n');
    expect(read(text).images).toEqual(['1: a:1']);
  });

  it('that are nested too deeply are named', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(read(deep)).toEqual({ images: [], unresolved: ['1: : this YAML is nested too deeply'] });
  });
});
