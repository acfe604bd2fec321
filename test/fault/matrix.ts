import type { Group } from './row.ts';
import { ANSWERS } from './rows/answers.ts';
import { BODIES } from './rows/bodies.ts';
import { IN_BETWEEN } from './rows/in-between.ts';
import { CONNECTIONS } from './rows/connections.ts';
import { MACHINE } from './rows/machine.ts';

/** The expected results: each row is a fault, and each column is what a client asks for meanwhile. */
export const MATRIX: readonly Group[] = [CONNECTIONS, BODIES, ANSWERS, IN_BETWEEN, MACHINE];
