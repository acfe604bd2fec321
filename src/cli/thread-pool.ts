import { availableParallelism } from 'node:os';
import { threadsFor } from '../threads.ts';

// Node makes its threads at the first use of any, and so many as the environment says by then: this module has to be
// the first that the program imports. A value that the operator has set is kept.
process.env['UV_THREADPOOL_SIZE'] ??= String(threadsFor(availableParallelism()));
