import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemSources } from './load.ts';

test('a program is a file that may be run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'larder-'));
  const place = (name: string): string => join(folder, name);
  await writeFile(place('program'), '');
  await chmod(place('program'), 0o755);
  await writeFile(place('text'), '', { mode: 0o600 });
  await mkdir(place('folder'));
  const { isProgram } = systemSources();
  const found = ['program', 'text', 'folder', 'absent'].filter((name) => isProgram(place(name)));
  expect(found).toEqual(['program']);
  await rm(folder, { recursive: true });
});
