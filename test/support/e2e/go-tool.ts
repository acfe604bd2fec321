import { join } from 'node:path';
import { run } from './process.ts';

const CACHE = join(import.meta.dirname, '../../../node_modules/.cache');
const INSTALL_SECONDS = '400';

/** A program that Go builds from its source. */
export interface GoTool {
  /** The path of the program once it is installed. */
  readonly path: string;
  /** @returns why the program is not available here; undefined if it is */
  install(): Promise<string | undefined>;
}

/** Names a tool. @param version pinned: changes in a later one must be reviewed before a test can fail by them */
export function goTool(name: string, modulePath: string, version: string): GoTool {
  const directory = join(CACHE, name, version);
  return {
    path: join(directory, name),
    async install() {
      try {
        // Without the toolchain setting, a Go that is too old would fetch another one.
        const env = { GOBIN: directory, GOTOOLCHAIN: 'local' };
        await run('timeout', [INSTALL_SECONDS, 'go', 'install', `${modulePath}@${version}`], { env });
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}
