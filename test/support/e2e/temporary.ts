import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** A directory of one's own under the system's; removed with all that was mounted in it. */
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

/** Container engines bind-mount their own folders; removing through a mount would empty what it shows. */
async function unmountBelow(path: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const points = mounts
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${path}/`));
  for (const point of points.reverse()) await promisify(execFile)('umount', [point]);
}
