import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { openToOthers } from './open-to-others.ts';

test.each([
  [0o700, undefined],
  [0o770, undefined],
  [0o701, '0701'],
  [0o704, '0704'],
  [0o755, '0755'],
  [0o1777, '0777'],
])('a directory of mode %o', async (mode, shown) => {
  await using place = await temporaryDirectory('store');
  const path = join(place.path, 'cache');
  await mkdir(path);
  await chmod(path, mode);
  const warning = `other users of this machine may enter the cache directory ${path} (mode ${shown}): chmod o= ${path}`;
  expect(openToOthers(path)).toBe(shown === undefined ? undefined : warning);
});

test('a directory that is not there yet', async () => {
  await using place = await temporaryDirectory('store');
  expect(openToOthers(join(place.path, 'cache'))).toBeUndefined();
});
