import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { requirePlaces } from './require-places.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const at = (name: string): string => join(directory.path, name);

beforeEach(async () => {
  directory = await temporaryDirectory('places');
  await mkdir(at('folder.tar'));
  await writeFile(at('file.tar'), '');
  await symlink(directory.path, at('link'));
});
afterEach(() => directory[Symbol.asyncDispose]());

describe('the places of a bundle and its inventory', () => {
  it.each([
    ['b.tar', undefined],
    ['file.tar', 'there.json'],
    ['new/', 'there.json'],
    ['b.tar', 'folder.tar/there.json'],
  ])('may be %s and %s', async (bundle, inventory) => {
    await requirePlaces(at(bundle), inventory === undefined ? undefined : at(inventory));
  });

  it.each([
    ['folder.tar', undefined, 'is a directory'],
    ['folder.tar/', undefined, 'is there already'],
    ['file.tar/', undefined, 'is there already'],
    ['nowhere/b.tar', undefined, 'there is no folder'],
    ['file.tar/b.tar', undefined, 'there is no folder'],
    ['b.tar', 'nowhere/there.json', 'there is no folder'],
    ['b.tar', 'folder.tar', 'is a directory'],
    ['b.tar', 'b.tar', 'would overwrite'],
    ['b.tar', 'link/b.tar', 'would overwrite'],
    ['b.tar', 'SHA256SUMS', 'would overwrite'],
    ['new/', 'new', 'would overwrite'],
  ])('may not be %s and %s', async (bundle, inventory, message) => {
    const required = requirePlaces(at(bundle), inventory === undefined ? undefined : at(inventory));
    await expect(required).rejects.toThrow(message);
  });
});
