/** The other end of CheckLane: runs the checks that it gets. */
import { parentPort } from 'node:worker_threads';
import { runCheck, type Check } from './checks.ts';

export type CheckAnswer = { readonly result: unknown } | { readonly error: string };

parentPort?.on('message', (check: Check) => {
  void runCheck(check).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

function answer(answered: CheckAnswer): void {
  parentPort?.postMessage(answered, []);
}
