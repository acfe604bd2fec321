import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { parseAsked } from '../../../asking/asked.ts';
import {
  findOutdated,
  groupImages,
  openImage,
  type LookedAfter,
} from '../../../asking/outdated/find-outdated.ts';
import type { OutdatedAnswer } from '../../../asking/outdated/outdated-answer.ts';
import { formatImageReference } from '../../../oci/image-reference.ts';
import type { References } from '../../../references/found.ts';
import { requireNoPath } from '../../files/path-name.ts';
import { readReferenceFiles } from '../../files/reference-files.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { noteText, outdatedText } from '../../terminal/texts/outdated-text.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';

const EXAMPLES = `
Examples:
  larder outdated Dockerfile compose.yaml
  larder outdated deploy/
  larder outdated alpine:3.20 ghcr.io/acme/app:1.2
  helm template ./chart | larder outdated -

Exit code 1: an image is outdated, or it could not be found out.
`;

/** `larder outdated`: which images are not the newest of their kind. */
export function outdatedCommand(): Command {
  return withMirror(askCommand('outdated'))
    .description('tell which images have newer tags, or are pinned to a digest that their tag has left')
    .argument(
      '<file|reference...>',
      'Dockerfiles, compose files, Kubernetes manifests, lists; folders of them; "-" is standard input; or images',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (names: readonly string[], options: AskOptions) => {
      await withAskers(options, async (askers) => {
        const isFile = (name: string): boolean => name === '-' || existsSync(name);
        const found = await readReferenceFiles(names.filter(isFile), { stdin: process.stdin });
        const typed = names.filter((name) => !isFile(name));
        const named = groupImages([...typed.map(ofName), ...found.images.map(ofFile)]);
        const images = await findOutdated(named, (registry) => askers.of(registry));
        tell({ images: [...images, ...found.unresolved.map(openImage)], notes: notesOf(found) }, options);
      });
    });
}

function ofName(name: string): LookedAfter {
  requireNoPath(name);
  return { asked: parseAsked(name), places: [] };
}

function ofFile({ image, place }: References['images'][number]): LookedAfter {
  return { asked: parseAsked(formatImageReference(image)), places: [place] };
}

function notesOf({ notes }: References): OutdatedAnswer['notes'] {
  return notes.map(({ place, message }) => ({ ...place, message }));
}

function tell(answer: OutdatedAnswer, { json }: AskOptions): void {
  if (json === true) printJson(answer);
  else {
    for (const note of answer.notes) console.error(noteText(note));
    console.log(outdatedText(answer.images));
  }
  if (answer.images.some(({ state }) => state !== 'current')) process.exitCode = EXIT_FAILED;
}
