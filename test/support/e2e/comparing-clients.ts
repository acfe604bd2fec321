import { join } from 'node:path';
import { startProcess } from './process.ts';
import { until } from './until.ts';
import type { Compared } from './comparing-clients-process.ts';

const PROGRAM = join(import.meta.dirname, 'comparing-clients-process.ts');

/** Clients that download one blob at the same time, in a process of their own. */
export interface ComparingClients extends AsyncDisposable {
  /** The result of each client. */
  readonly done: Promise<readonly Compared[]>;
}

export interface ComparingClientsOptions {
  readonly url: string;
  /** The file that every byte is compared with. */
  readonly file: string;
  readonly count: number;
}

/** Starts the clients. Resolves once all of them have asked. */
export async function comparingClients({
  url,
  file,
  count,
}: ComparingClientsOptions): Promise<ComparingClients> {
  await using stack = new AsyncDisposableStack();
  const running = stack.use(startProcess(process.execPath, [PROGRAM, url, file, String(count)]));
  await until('all clients have asked', () =>
    running.hasExited() || running.stdout().startsWith('asked\n') ? true : undefined,
  );
  const owned = stack.move();
  return {
    done: running.exited.then(({ stdout }) => JSON.parse(stdout.slice('asked\n'.length)) as Compared[]),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
