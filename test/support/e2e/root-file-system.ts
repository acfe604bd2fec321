import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run } from './process.ts';

/** An unpacked Debian root file system. */
export interface RootFileSystem {
  readonly path: string;
  /** Patterns, for tar, of the files that a layer need not hold. */
  readonly exclude: readonly string[];
}

const SUITE = 'bookworm';

/**
 * Returns a minimal Debian, which debootstrap makes from the mirror that the machine's own package sources name. Where
 * that fails (no root, or a mirror without this suite), it holds only unpacked packages. It is made once and kept in
 * `home`.
 */
export async function rootFileSystem(home: string): Promise<RootFileSystem> {
  const path = join(home, 'root-file-system');
  if (!existsSync(path)) {
    const work = `${path}.building`;
    await rm(work, { recursive: true, force: true });
    const made = await debootstrap(work);
    if (!made) await unpackPackages(work);
    await rename(work, path);
  }
  return { path, exclude: ['./var/cache/apt/*', './var/lib/apt/lists/*', './usr/share/doc/*', './dev/*'] };
}

async function debootstrap(path: string): Promise<boolean> {
  const mirror = await debianMirror();
  if (mirror === undefined) return false;
  const exit = await attempt('debootstrap', ['--variant=minbase', SUITE, path, mirror]);
  if (exit.code !== 0) await rm(path, { recursive: true, force: true });
  return exit.code === 0;
}

/** Returns the first mirror of Debian's archive that the machine's package sources name, in either of apt's formats. */
async function debianMirror(): Promise<string | undefined> {
  const directory = '/etc/apt/sources.list.d';
  const names = await readdir(directory).catch(() => []);
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(directory, name))];
  const texts = await Promise.all(files.map(async (file) => readFile(file, 'utf8').catch(() => '')));
  return /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s+)?)(https?:\/\/\S*\/debian)\/?(?=\s|$)/m.exec(
    texts.join('\n'),
  )?.[1];
}

async function unpackPackages(path: string): Promise<void> {
  const packages = `${path}.packages`;
  await mkdir(packages, { recursive: true });
  await mkdir(path, { recursive: true });
  const names = ['base-files', 'bash', 'coreutils', 'libc6', 'libtinfo6', 'libstdc++6', 'libgcc-s1'];
  await run('apt-get', ['download', '-qq', ...names], { cwd: packages });
  for (const name of await readdir(packages)) await run('dpkg', ['-x', join(packages, name), path]);
  await rm(packages, { recursive: true });
}
