import type { Writable } from 'node:stream';
import { EXIT_FAILED } from './exit-codes.ts';

/**
 * Lets a command fail whose output cannot be written, because the disk is full, for example. `console.log` keeps that to
 * itself, and a script would take what is there for the whole answer. A reader that has closed its end (`| head`) has
 * got what it wanted.
 */
export function failIfLost(stream: Writable): void {
  let isTold = false;
  stream.on('error', ({ code = 'unknown error' }: NodeJS.ErrnoException) => {
    // A command that listens for errors itself reports them itself.
    if (code === 'EPIPE' || isTold || stream.listenerCount('error') > 1) return;
    isTold = true;
    console.error(`larder: the output cannot be written: ${code}`);
    process.exitCode = EXIT_FAILED;
  });
}
