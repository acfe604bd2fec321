import { open, readdir, readlink, type FileHandle } from 'node:fs/promises';

/** The files under the directory that this process has open, where the system tells (Linux). */
export async function openFilesIn(directory: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const paths = descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}

/** What all file handles have in common, to be spied on: Node exports no class of them. */
export async function prototypeOfHandles(directory: string): Promise<FileHandle> {
  const handle = await open(directory, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}
