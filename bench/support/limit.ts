import { join } from 'node:path';
import { freePort } from '../../test/support/e2e/port.ts';
import { compiled, uncompilable, type Source } from './compiler.ts';
import type { Directory } from './directory.ts';
import { start } from './process.ts';
import { answering, type Contestant, type Server } from './server.ts';

const SOURCE: Source = {
  file: join(import.meta.dirname, '../limit/limit.c'),
  header: 'openssl/ssl.h',
  needs: 'a C compiler and the headers of OpenSSL (Debian: gcc libc6-dev libssl-dev)',
  libraries: ['ssl', 'crypto'],
};

export interface LimitOptions {
  readonly name: string;
  readonly directory: Directory;
  readonly upstream: Contestant;
  /** The PEM file of the authority to trust. Absent: the upstream speaks http. */
  readonly caFile?: string | undefined;
  /** Whether the file is on the disk before the last byte leaves. */
  readonly syncs?: boolean;
}

/** Starts the program of limit.c, which `limitUnable` has allowed. */
export async function limit({ name, directory, upstream, caFile, syncs }: LimitOptions): Promise<Server> {
  const program = await compiled(SOURCE, directory);
  const port = await freePort();
  const place = await directory.folder(`limit-${port}`);
  const args = [String(port), place, new URL(upstream.url).port];
  if (caFile !== undefined) args.push('--ca', caFile);
  if (syncs) args.push('--fsync');
  const running = await start(program, args, { logFile: join(place, 'log') });
  return answering({ name, url: `http://127.0.0.1:${port}` }, running, '/v2/');
}

/** @returns why this machine cannot compile it; undefined if it can */
export function limitUnable(): Promise<string | undefined> {
  return uncompilable(SOURCE);
}
