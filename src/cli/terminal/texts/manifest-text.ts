import type { DescriptorAnswer, ManifestContent } from '../../../asking/manifests/manifest-answer.ts';
import type { ManifestTree } from '../../../asking/manifests/tree.ts';
import { escapeControls } from '../../../text/controls.ts';
import { drawTree, type TreeLine } from './draw-tree.ts';
import { shortSize } from '../short-size.ts';
import { formatTable } from '../table.ts';

/** Describes a manifest for people: what it is, and what it refers to. */
export function manifestText(image: string, content: ManifestContent): string {
  const { digest, mediaType, size, artifactType, subject, config, layers, manifests } = content;
  const facts = [
    ['image', image],
    ['digest', digest],
    ['media type', mediaType],
    ...(artifactType === undefined ? [] : [['artifact', artifactType]]),
    ...(subject === undefined ? [] : [['about', subject.digest]]),
    ['size', shortSize(size)],
  ];
  const head = facts.map(([name = '', value = '']) => `${name.padEnd(11)} ${value}`).join('\n');
  const parts = [
    ...manifests.map((each) => row(each.platform ?? 'manifest', each)),
    ...(config === undefined ? [] : [row('config', config)]),
    ...layers.map((layer) => row('layer', layer)),
  ];
  return escapeLines(parts.length === 0 ? head : `${head}\n\n${formatTable(HEAD, parts)}`);
}

/** Lists layers, or whatever else has descriptors. */
export function descriptorTable(descriptors: readonly DescriptorAnswer[]): string {
  const rows = descriptors.map(({ artifactType, mediaType, digest, size }) => [
    digest,
    shortSize(size),
    artifactType ?? mediaType,
  ]);
  return escapeLines(formatTable(['DIGEST', 'SIZE', 'TYPE'], rows));
}

/** Draws a manifest with all that is below it and attached to it. */
export function treeText(image: string, tree: ManifestTree): string {
  const { text, below } = treeLine(tree);
  return escapeLines(drawTree({ text: `${image}  ${text}`, below }));
}

const HEAD = ['', 'DIGEST', 'SIZE', 'TYPE'];

function row(name: string, { digest, size, mediaType }: DescriptorAnswer): string[] {
  return [name, digest, shortSize(size), mediaType];
}

function treeLine(tree: ManifestTree): TreeLine {
  const { digest, mediaType, platform, config, layers, manifests, attestations, referrers, problems } = tree;
  return {
    text: [platform, digest, summary(tree), mediaType].filter((part) => part !== undefined).join('  '),
    below: [
      ...(config === undefined ? [] : [leaf('config', config)]),
      ...layers.map((layer) => leaf(predicateOf(layer) ?? 'layer', layer)),
      ...manifests.map(treeLine),
      ...attestations.map((each) => {
        const { text, below } = treeLine({ ...each, platform: 'attestation' });
        return { text, below };
      }),
      ...referrers.map((each) => leaf(`referrer ${each.artifactType ?? ''}`.trimEnd(), each)),
      ...problems.map((problem) => ({ text: `! ${problem}`, below: [] })),
    ],
  };
}

/** The bytes that a pull fetches besides the manifest; of an index, the number of its manifests. */
function summary({ manifests, layers, config }: ManifestTree): string {
  if (manifests.length > 0) return count(manifests.length, 'manifest');
  const bytes = layers.reduce((sum, { size }) => sum + size, config?.size ?? 0);
  return `${shortSize(bytes)} in ${count(layers.length, 'layer')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** What an attestation states: the type of its predicate, such as `https://spdx.dev/Document`. */
function predicateOf({ annotations }: DescriptorAnswer): string | undefined {
  return annotations?.['in-toto.io/predicate-type'];
}

function leaf(name: string, { digest, size, mediaType }: DescriptorAnswer): TreeLine {
  return { text: `${name}  ${digest}  ${shortSize(size)}  ${mediaType}`, below: [] };
}

function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}
