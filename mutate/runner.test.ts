import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Runner } from './runner.ts';

const SOURCE = 'export const answer = (): number => 42;';
const TESTS = `
  import { expect, it } from 'vitest';
  import { answer } from './a.ts';
  it('is the answer', () => expect(answer()).toBe(42));
  it('is a number', () => expect(answer()).toBeTypeOf('number'));
`;

/** Makes a folder with one source and its tests, which is removed when the test ends. */
async function makeRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'larder-mutate-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'src/content'), { recursive: true });
  await symlink(join(import.meta.dirname, '../node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'src/content/a.ts'), SOURCE);
  await writeFile(join(root, 'src/content/a.test.ts'), TESTS);
  return root;
}

it('each run of the tests sees the current text of a source', async () => {
  const root = await makeRoot();
  let text: string | undefined;
  await using runner = await Runner.start({
    root,
    load: (path) => (path === 'src/content/a.ts' ? text : undefined),
    isThorough: false,
    setupFiles: [],
    workers: 1,
  });
  const [{ tests } = { tests: [] }] = await runner.runAll();
  expect(tests).toHaveLength(2);
  const passes = async (replacement: string): Promise<boolean> => {
    text = SOURCE.replace('42', replacement);
    runner.forget('src/content/a.ts');
    return await runner.run(tests, 5000);
  };
  expect(await passes('84')).toBe(false);
  expect(await passes('42')).toBe(true);
  expect(await passes('43')).toBe(false);
});
