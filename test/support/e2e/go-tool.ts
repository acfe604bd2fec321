import { join } from 'node:path';
import { run } from './process.ts';

const CACHE = join(import.meta.dirname, '../../../node_modules/.cache');
const INSTALL_SECONDS = '400';

/** A program that Go builds from its source. */
export interface GoTool {
  /** Where it is once it is installed. */
  readonly path: string;
  /** @returns why it cannot be had here; undefined where it can. */
  install(): Promise<string | undefined>;
}

/** @param version pinned: what a later one does otherwise is to be looked at before a test can fail by it. */
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
