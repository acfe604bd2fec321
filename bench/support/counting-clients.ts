import { join } from 'node:path';
import { compiled, uncompilable, type Source } from './compiler.ts';
import type { Directory } from './directory.ts';
import { run } from './process.ts';
import type { Load } from './wrk.ts';

const SOURCE: Source = {
  file: join(import.meta.dirname, '../clients/count.c'),
  header: 'sys/socket.h',
  needs: 'a C compiler (Debian: gcc libc6-dev)',
  libraries: [],
};

/** @returns why there are no such clients on this machine; undefined if there are */
export function countingUnable(): Promise<string | undefined> {
  return uncompilable(SOURCE);
}

/**
 * Runs clients that only count: each asks for the first of the paths, again and again.
 * @returns the bytes of bodies that came to all of them
 * @throws Error if an answer was unexpected
 */
export async function countingClients(
  directory: Directory,
  url: string,
  { connections, paths: [path = ''], seconds }: Load,
): Promise<number> {
  const program = await compiled(SOURCE, directory);
  const milliseconds = Math.round(1000 * seconds);
  return Number(await run(program, [new URL(url).port, path, String(connections), String(milliseconds)]));
}
