import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.ts';

/** Computes the digests of all files in a folder, sorted by the files' names. */
export async function hashedFiles(directory: string): Promise<readonly string[]> {
  return sha256sum(directory, (await readdir(directory)).sort());
}

/** Hashes each layer of a docker-archive in its manifest's order, and removes the archive. */
export async function archiveLayers(archive: string): Promise<readonly string[]> {
  const directory = `${archive}.unpacked`;
  await mkdir(directory);
  await run('tar', ['-xf', archive, '-C', directory]);
  const manifest = await readFile(join(directory, 'manifest.json'), 'utf8');
  const [image] = JSON.parse(manifest) as [{ readonly Layers: readonly string[] }];
  const digests = await sha256sum(directory, image.Layers);
  await rm(directory, { recursive: true });
  await rm(archive);
  return digests;
}

async function sha256sum(directory: string, names: readonly string[]): Promise<readonly string[]> {
  const sums = await run('sha256sum', names, { cwd: directory });
  const lines = sums.trim().split('\n');
  return lines.map((line) => `sha256:${line.slice(0, 64)}`);
}
