/** The other end of ThreadParser: runs the calls that it gets, one after the other. */
import { parentPort } from 'node:worker_threads';
import type { Work } from './functions.ts';
import { call } from './parser.ts';

export type Answered = { readonly result: unknown } | { readonly error: string };

parentPort?.on('message', (work: Work) => {
  let answered: Answered;
  try {
    answered = { result: call(work) };
  } catch (error) {
    answered = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answered, 'result' in answered ? movable(answered.result) : []);
});

/** Returns the memory that need not be copied: a list of tags has a buffer of its own. */
function movable(result: unknown): ArrayBuffer[] {
  if (typeof result !== 'object' || result === null) return [];
  const { bytes, tags } = result as { readonly bytes?: unknown; readonly tags?: unknown };
  if (bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer) return [bytes.buffer];
  return movable(tags);
}
