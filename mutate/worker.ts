import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { KnownTest } from './coverage.ts';
import type { Candidate } from './mutant.ts';

export type Verdict = 'killed' | 'survived';

/** An order for a worker's process. */
export interface Order {
  readonly candidate: Candidate;
  readonly tests: readonly KnownTest[];
  /** The timeout of one test. */
  readonly timeoutMs: number;
}

/** Tries mutants in a process, which is replaced if a mutant makes it hang. */
export class Worker implements Disposable {
  #process: ChildProcess | undefined;

  /** Tries a mutant. @param deadlineMs after this time the tests count as hanging, which kills the mutant */
  async attempt(order: Order, deadlineMs: number): Promise<Verdict> {
    const process = (this.#process ??= await start());
    const signal = AbortSignal.timeout(Math.ceil(deadlineMs));
    try {
      process.send(order);
      const [verdict] = (await once(process, 'message', { signal })) as [Verdict];
      return verdict;
    } catch (error) {
      if (!signal.aborted) throw error;
      this[Symbol.dispose]();
      return 'killed';
    }
  }

  [Symbol.dispose](): void {
    if (this.#process !== undefined) killGroup(this.#process);
    this.#process = undefined;
  }
}

async function start(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'worker-process.ts'), {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  process.once('exit', () => killGroup(child));
  await once(child, 'message');
  return child;
}

/** Kills the process together with those that vitest has started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
