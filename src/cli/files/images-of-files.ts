import { OperatorError } from '../../operator/error.ts';
import type { FoundImage, References } from '../../references/found.ts';
import type { FileKind } from '../../references/kind-of-file.ts';
import { FileError } from './read-text.ts';
import { readReferenceFiles } from './reference-files.ts';
import { describeUnresolved } from './unresolved.ts';

/** Paths of files, and what they are; undefined: what each looks like. */
export type FilesOfKind = readonly [readonly string[] | undefined, FileKind | undefined];

/** Reads the images that files name. `-` is standard input. @throws OperatorError `invalid` */
export async function imagesOfFiles(files: readonly FilesOfKind[]): Promise<readonly FoundImage[]> {
  try {
    const read = files.map(([paths = [], kind]) => readReferenceFiles(paths, { kind, stdin: process.stdin }));
    const found = await Promise.all(read);
    assertResolved(found);
    return found.flatMap(({ images }) => images);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new OperatorError('invalid', error.message, { cause: error });
  }
}

/** @throws OperatorError that names each place of which no image can be told: what is made of the rest would look whole */
function assertResolved(found: readonly References[]): void {
  const unresolved = found.flatMap((references) => references.unresolved);
  if (unresolved.length === 0) return;
  throw new OperatorError('invalid', describeUnresolved(unresolved));
}
