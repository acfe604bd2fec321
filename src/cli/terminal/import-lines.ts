import type { ImportResult } from '../../archive/import/import-bundle.ts';
import { quoted } from '../../text/quoted.ts';

/** Formats what an import has done: the images that are here now, and those that are not, with the reasons. */
export function importLines(
  bundle: string,
  { images, refused, blobs, added }: ImportResult,
): readonly string[] {
  return [
    ...images.map(({ name, digest, leftOut, elsewhere }) => {
      const notes = [
        ...(leftOut.length === 0 ? [] : [`without ${leftOut.join(', ')}`]),
        ...(elsewhere.length === 0 ? [] : [`${elsewhere.length} layers are in no registry`]),
      ];
      return `imported ${[name, digest, ...notes.map((note) => `(${note})`)].join(' ')}`;
    }),
    ...refused.flatMap(({ name, problems }) => [
      `not imported: ${name}`,
      ...problems.map((problem) => `  ${problem}`),
    ]),
    `${quoted(bundle)}: ${images.length} of ${images.length + refused.length} images, ${added} of ${blobs} blobs are new`,
  ];
}
