import { open, readdir, readlink, type FileHandle } from 'node:fs/promises';

/** Returns the files below the directory that this process has open, if the system tells (Linux). */
export async function openFilesIn(directory: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const paths = descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}

/** Returns the prototype of all file handles, for spies: Node does not export the class. */
export async function prototypeOfHandles(directory: string): Promise<FileHandle> {
  const handle = await open(directory, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}
