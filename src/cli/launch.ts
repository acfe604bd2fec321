#!/usr/bin/env node
import { nodeRefusal } from './node-version.ts';

// An old Node would fail on the syntax of the program before the program could say why. So this file and what it imports
// by name are written in syntax that Node 16 knows, and the rest is imported only by a Node that is new enough.
const refusal = nodeRefusal(process.versions.node);
if (refusal === undefined) {
  await import('./main.ts');
} else {
  console.error(refusal);
  process.exitCode = 2;
}
