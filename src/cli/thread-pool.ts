import { availableParallelism } from 'node:os';
import { threadsFor } from '../threads.ts';

// Node makes its threads when one is first needed, as many as the environment then says: so the program must import
// this module first. A value that the operator has set is kept.
process.env['UV_THREADPOOL_SIZE'] ??= String(threadsFor(availableParallelism()));
