import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.ts';

/** A new directory inside the system's directory for temporary files. */
export interface Directory extends AsyncDisposable {
  readonly path: string;
  /** Returns a path in it. */
  at(...names: string[]): string;
  /** Makes a folder in it, unless there is one already. */
  folder(name: string): Promise<string>;
}

export async function temporaryDirectory(name: string): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), `larder-bench-${name}-`));
  const leave = (): void => void spawnSync('rm', ['-rf', path]);
  process.once('exit', leave);
  return {
    path,
    at: (...names) => join(path, ...names),
    async folder(name) {
      await mkdir(join(path, name), { recursive: true });
      return join(path, name);
    },
    // Not by Node's own rm, which takes minutes for a million files.
    [Symbol.asyncDispose]: async () => {
      process.off('exit', leave);
      await run('rm', ['-rf', path]);
    },
  };
}
