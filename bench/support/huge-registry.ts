import { join } from 'node:path';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Directory } from './directory.ts';
import { start } from './process.ts';
import { answering, type Server } from './server.ts';

const PROGRAM = join(import.meta.dirname, 'huge-registry-process.ts');

export interface Huge {
  /** Number of tags in each repository. */
  readonly tags: number;
  /** Number of layers in each image. */
  readonly layers: number;
}

/** Starts an upstream whose documents are as large as Larder takes them. */
export async function hugeRegistry(directory: Directory, { tags, layers }: Huge): Promise<Server> {
  const port = await freePort();
  const place = await directory.folder(`huge-registry-${port}`);
  const args = [PROGRAM, String(port), String(tags), String(layers)];
  const running = await start(process.execPath, args, { logFile: join(place, 'log') });
  return answering({ name: 'huge registry', url: `http://127.0.0.1:${port}` }, running, '/v2/');
}
