import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Makes a directory in the system's temporary one. It is removed with all mounts in it. */
export async function temporaryDirectory(name: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `larder-e2e-${name}-`));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await unmountBelow(path);
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Unmounts what engines have bind-mounted below a path: removing through a mount would empty its source. */
async function unmountBelow(path: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const points = mounts
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${path}/`));
  for (const point of points.reverse()) await promisify(execFile)('umount', [point]);
}
