import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Directory } from './directory.ts';
import { run } from './process.ts';

/** A program in C. */
export interface Source {
  readonly file: string;
  /** A header that it needs, and what has to be installed for it, in words. */
  readonly header: string;
  readonly needs: string;
  /** Names of libraries, as the linker knows them. */
  readonly libraries: readonly string[];
}

/** @returns why this machine cannot compile it; undefined if it can */
export async function uncompilable({ header, needs }: Source): Promise<string | undefined> {
  try {
    await run('sh', ['-c', `echo '#include <${header}>' | cc -fsyntax-only -x c -`]);
    return undefined;
  } catch {
    return `it needs ${needs}`;
  }
}

/** Compiles it unless the directory has it already. @returns the program */
export async function compiled({ file, libraries }: Source, directory: Directory): Promise<string> {
  const program = join(await directory.folder('compiled'), basename(file, '.c'));
  if (existsSync(program)) return program;
  await run('cc', ['-O2', '-Wall', '-pthread', '-o', program, file, ...libraries.map((name) => `-l${name}`)]);
  return program;
}
