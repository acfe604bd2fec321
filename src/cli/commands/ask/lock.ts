import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Askers } from '../../../asking/askers.ts';
import { AskError } from '../../../asking/error.ts';
import { checkLocks, lockImages, type LockState } from '../../../asking/locks/lock-images.ts';
import { formatImageReference } from '../../../oci/image-reference.ts';
import { formatLockedList } from '../../../references/yaml/locked-list.ts';
import type { References } from '../../../references/found.ts';
import { FileError } from '../../files/read-text.ts';
import { readReferenceFiles } from '../../files/reference-files.ts';
import { describeUnresolved } from '../../files/unresolved.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';

interface LockOptions extends AskOptions {
  readonly output: string;
  readonly check?: boolean;
}

const LOCK_FILE = 'images.lock';

const EXAMPLES = `
Examples:
  larder lock list.txt                     write images.lock: each image of the list with its digest
  larder lock -o prod.lock compose.yaml    from a compose file, into another file
  larder lock --check                      say which tags of images.lock stand for something else by now
  larder warm --file images.lock           pull exactly what is locked`;

/** `larder lock`: the digests of the images that files name. Exit code 1 if one cannot be told, or has moved. */
export function lockCommand(): Command {
  return withMirror(askCommand('lock'))
    .description('write down the digests of the images that files name, or check such a list')
    .argument(
      '[file...]',
      `lists, Dockerfiles, compose files, Kubernetes manifests; with --check: ${LOCK_FILE}`,
    )
    .option('-o, --output <file>', 'where to write the list; - is standard output', LOCK_FILE)
    .option('--check', 'change nothing: compare the list with what the tags stand for now')
    .addHelpText('after', EXAMPLES)
    .action(async (files: readonly string[], options: LockOptions) => {
      await withAskers(options, async (askers) => {
        if (options.check === true) return check(files.length > 0 ? files : [LOCK_FILE], options, askers);
        if (files.length === 0) throw new AskError('name a file with images, such as a list with one a line');
        return lock(files, options, askers);
      });
    });
}

async function lock(files: readonly string[], options: LockOptions, askers: Askers): Promise<void> {
  const { images } = await read(files);
  // An empty list would replace one that is whole, if only a template could not be rendered.
  if (images.length === 0) throw new AskError(`${files.join(', ')}: no image is named there`);
  const { locked, failed } = await lockImages(images, askers);
  for (const { ref, reason } of failed) console.error(`larder: ${ref}: ${reason}`);
  // A list without them would look whole.
  if (failed.length > 0) {
    process.exitCode = EXIT_FAILED;
    return;
  }
  const text = formatLockedList(locked);
  // The list itself is then the output, whatever else was asked for.
  if (options.output === '-') {
    process.stdout.write(text);
    return;
  }
  await writeFile(options.output, text);
  const count = new Set(locked.map(({ image }) => formatImageReference(image))).size;
  if (options.json === true) printJson({ output: options.output, images: count });
  else console.log(`${options.output}: ${count} images`);
}

async function check(files: readonly string[], options: LockOptions, askers: Askers): Promise<void> {
  const { images } = await read(files);
  const states = await checkLocks(images, askers);
  if (states.some(({ state }) => state !== 'same')) process.exitCode = EXIT_FAILED;
  if (options.json === true) printJson({ images: states });
  else for (const state of states) console.log(describe(state));
}

/** @throws AskError with everything that cannot be read as an image */
async function read(files: readonly string[]): Promise<References> {
  try {
    const references = await readReferenceFiles(files, { stdin: process.stdin });
    const { unresolved } = references;
    if (unresolved.length > 0) throw new AskError(describeUnresolved(unresolved));
    return references;
  } catch (error) {
    if (error instanceof FileError) throw new AskError(error.message, { cause: error });
    throw error;
  }
}

function describe(state: LockState): string {
  switch (state.state) {
    case 'same':
      return `same      ${state.ref}`;
    case 'moved':
      return `moved     ${state.ref} is now ${state.now}`;
    case 'gone':
      return `gone      ${state.ref}: there is no such tag any more`;
    case 'unlocked':
      return `unlocked  ${state.ref}: it needs a tag and a digest`;
    case 'unknown':
      return `unknown   ${state.ref}: ${state.reason}`;
  }
}
