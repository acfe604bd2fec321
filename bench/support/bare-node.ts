import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Directory } from './directory.ts';
import { start } from './process.ts';
import { answering, type Server } from './server.ts';
import type { StoredImage } from './storage.ts';

const PROGRAM = join(import.meta.dirname, 'bare-node-process.ts');

/** Starts the best that Node can do: `node:http` that answers every request with one manifest. */
export async function bareNode(name: string, directory: Directory, image: StoredImage): Promise<Server> {
  const port = await freePort();
  const place = await directory.folder(`bare-node-${port}`);
  const manifestFile = join(place, 'manifest.json');
  await writeFile(manifestFile, image.manifest);
  // The same options as in Larder's own scripts.
  const args = ['--max-semi-space-size=8', PROGRAM, String(port), manifestFile, image.digest];
  const running = await start(process.execPath, args, { logFile: join(place, 'log') });
  return answering({ name, url: `http://127.0.0.1:${port}` }, running, image.byTag);
}
