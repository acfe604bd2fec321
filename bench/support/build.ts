import { existsSync } from 'node:fs';
import { copyFile, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from './directory.ts';
import { run } from './process.ts';

/** The program as it is packaged, in a directory of its own. */
export interface Build extends AsyncDisposable {
  /** Node's arguments to run it, as in the package's own scripts: options of V8, and the program. */
  readonly nodeArgs: readonly string[];
}

/**
 * Compiles the sources at `root`, as `npm run build` does for the package: run from its sources, the program
 * begins by stripping their types, which takes half a second and 25 MB that no user of the package pays.
 * @throws Error with the compiler's output if it emits nothing
 */
export async function build(root: string): Promise<Build> {
  const directory = await temporaryDirectory('build');
  const outDir = directory.at('dist');
  const compiler = join(root, 'node_modules/.bin/tsc');
  const args = ['-p', join(root, 'tsconfig.build.json'), '--outDir', outDir];
  // Unfinished sources may have type errors and still run.
  const problem = await run(compiler, args).then(
    () => undefined,
    (error: unknown) => error,
  );
  const main = join(outDir, 'cli/main.js');
  if (!existsSync(main)) throw new Error(`${root} cannot be built`, { cause: problem });
  await symlink(join(root, 'node_modules'), directory.at('node_modules'));
  await copyFile(join(root, 'package.json'), directory.at('package.json'));
  const nodeArgs = [...(await nodeOptions(root)), main];
  return { nodeArgs, [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose]() };
}

/** Returns the options in `node --one --two program`. */
async function nodeOptions(root: string): Promise<readonly string[]> {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return (scripts['larder'] ?? '').split(' ').filter((word) => word.startsWith('--'));
}
