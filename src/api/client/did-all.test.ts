import { expect, it } from 'vitest';
import { didAll } from './did-all.ts';

const warm = { images: [], failed: 0 };
const imported = { images: [], refused: [], blobs: 1, added: 1 };
const verified = { isSound: true, steps: [], totals: {}, findings: [], moreFindings: 0 };
const removed = { reference: 'a', tags: 1, blobs: 1, bytes: 1 };
const error = { code: 'unknown', message: 'nothing is cached' };

it.each([
  ['warm', warm, true],
  ['warm', { ...warm, failed: 1 }, false],
  ['import', imported, true],
  ['import', { ...imported, refused: [{ name: 'a:1', digest: 'sha256:1', problems: [] }] }, false],
  ['verify', verified, true],
  ['verify', { ...verified, isSound: false }, false],
  ['remove', { removed: [removed] }, true],
  ['remove', { removed: [removed, { reference: 'b', error }] }, false],
  ['export', {}, true],
  ['warm', undefined, true],
])('a job %s with the result %j has done all: %j', (kind, result, all) => {
  expect(didAll({ kind, state: 'done', result })).toBe(all);
});

it.each(['failed', 'cancelled', 'interrupted'] as const)('a job that was %s has not', (state) => {
  expect(didAll({ kind: 'warm', state, result: warm })).toBe(false);
});
