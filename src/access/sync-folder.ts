import { open } from 'node:fs/promises';

/** Makes a rename in the folder survive a power failure. @throws the system's error */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
