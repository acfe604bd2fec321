import { quoted } from '../../../text/quoted.ts';

/** What an import has done, here or in a server. */
export interface ShownImport {
  readonly images: readonly {
    readonly name: string;
    readonly digest: string;
    readonly leftOut: readonly string[];
    readonly elsewhere: readonly string[];
  }[];
  readonly refused: readonly { readonly name: string; readonly problems: readonly string[] }[];
  readonly blobs: number;
  readonly added: number;
}

/** Formats what an import has done: the images that are here now, and those that are not, with the reasons. */
export function importLines(
  bundle: string,
  { images, refused, blobs, added }: ShownImport,
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
