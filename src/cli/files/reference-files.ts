import { stat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { References } from '../../references/found.ts';
import { kindOfFile, type FileKind } from '../../references/kind-of-file.ts';
import { readReferences } from '../../references/read-references.ts';
import { FileError, readText, readTextFile } from './read-text.ts';

export interface ReferenceFilesOptions {
  /** What all the files are; absent: what each looks like. */
  readonly kind?: FileKind | undefined;
  /** What `-` stands for. */
  readonly stdin: Readable;
}

/** The files of a folder that may name images. */
const IN_FOLDERS = /(?:docker|container)file|\.(?:ya?ml|json)$/i;

/**
 * Finds the images that files name. A folder stands for the files below it that name images by their kind; `-` is
 * standard input.
 * @throws FileError if a file or folder cannot be read
 */
export async function readReferenceFiles(
  paths: readonly string[],
  { kind, stdin }: ReferenceFilesOptions,
): Promise<References> {
  const found: References[] = [];
  for (const path of paths) {
    if (path === '-') found.push(referencesOf('-', await readText('-', stdin), kind));
    else if (await isFolder(path)) found.push(...(await readFolder(path, kind)));
    else found.push(referencesOf(path, await readTextFile(path), kind));
  }
  return mergeReferences(found);
}

function mergeReferences(found: readonly References[]): References {
  return {
    images: found.flatMap(({ images }) => images),
    unresolved: found.flatMap(({ unresolved }) => unresolved),
    notes: found.flatMap(({ notes }) => notes),
  };
}

function referencesOf(path: string, text: string, wanted: FileKind | undefined): References {
  if (text.includes('\0')) return unreadable(path, 'this is no text');
  const kind = wanted ?? kindOfFile(basename(path), text);
  if (kind !== undefined) return readReferences(kind, path, text);
  return unreadable(path, 'this is no Dockerfile, compose file, Kubernetes manifest or list of images');
}

function unreadable(path: string, reason: string): References {
  return { images: [], unresolved: [{ text: '', place: { file: path, line: 1 }, reason }], notes: [] };
}

async function readFolder(folder: string, wanted: FileKind | undefined): Promise<readonly References[]> {
  const found: References[] = [];
  for await (const path of filesBelow(folder)) {
    const text = await readTextFile(path);
    const kind = kindOfFile(basename(path), text);
    if (kind !== undefined && isMeant(kind, wanted)) found.push(readReferences(kind, path, text));
  }
  return found;
}

/** A list in a folder may be one of anything, so it is read only if lists are asked for. */
function isMeant(kind: FileKind, wanted: FileKind | undefined): boolean {
  return wanted === undefined ? kind !== 'list' && kind !== 'image-list' : kind === wanted;
}

/** Yields the files that may name images, in the order of their names; hidden folders and installed packages are not. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new FileError(`${folder} cannot be read: ${error.code ?? 'unknown error'}`, { cause: error });
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const isLeftOut = entry.name.startsWith('.') || entry.name === 'node_modules';
    if (entry.isDirectory() && !isLeftOut) yield* filesBelow(path);
    else if (IN_FOLDERS.test(entry.name) && (await isFile(path))) yield path;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Follows links: Kubernetes mounts files as links. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
