import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.ts';

const VERSION = 'v3.1.2';
const MODULE = 'github.com/distribution/distribution/v3/cmd/registry';
const DIRECTORY = join(import.meta.dirname, '../../node_modules/.cache/registry', VERSION);
const INSTALL_SECONDS = '400';

/** The program of distribution 3, which no release of Debian has yet. */
export const DISTRIBUTION_3 = join(DIRECTORY, 'registry');

/**
 * Builds distribution 3 from its source, unless an earlier run has.
 * @param mayBuild false where only an earlier build is wanted: building takes minutes
 * @returns why it is not available; undefined if it is
 */
export async function distribution3Unable(mayBuild: boolean): Promise<string | undefined> {
  if (existsSync(DISTRIBUTION_3)) return undefined;
  if (!mayBuild) return 'it is built for measurements alone, and was not yet';
  try {
    // Without the toolchain setting, a Go that is too old would fetch another one.
    const settings = [`GOBIN=${DIRECTORY}`, 'GOTOOLCHAIN=local'];
    await run('env', [...settings, 'timeout', INSTALL_SECONDS, 'go', 'install', `${MODULE}@${VERSION}`]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
