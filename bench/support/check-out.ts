import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from './directory.ts';
import { run } from './process.ts';

/** A revision of the repository in a work tree of its own, removed when it is disposed of. */
export interface CheckedOut extends AsyncDisposable {
  readonly root: string;
  readonly commit: string;
}

/** @param root of a work tree of the repository */
export async function checkOut(root: string, revision: string): Promise<CheckedOut> {
  await using stack = new AsyncDisposableStack();
  const commit = (await run('git', ['rev-parse', '--verify', `${revision}^{commit}`], { cwd: root })).trim();
  const directory = stack.use(await temporaryDirectory('revision'));
  const tree = directory.at('tree');
  // A run that was interrupted leaves its work tree behind.
  await run('git', ['worktree', 'prune'], { cwd: root });
  await run('git', ['worktree', 'add', '--detach', tree, commit], { cwd: root });
  stack.defer(async () => void (await run('git', ['worktree', 'remove', '--force', tree], { cwd: root })));
  await giveModules(root, tree);
  const owned = stack.move();
  return {
    root: tree,
    commit,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** Links the modules of this work tree if the revision has the same, else installs its own. */
async function giveModules(root: string, tree: string): Promise<void> {
  const [here, there] = await Promise.all(
    [root, tree].map(async (directory) => readFile(join(directory, 'package-lock.json'), 'utf8')),
  );
  if (here === there) await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  else await run('npm', ['ci'], { cwd: tree });
}
