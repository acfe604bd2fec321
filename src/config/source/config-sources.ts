import { dirname, resolve } from 'node:path';
import type { Environment } from './interpolate.ts';

/** The sources that a configuration is read from. */
export interface ConfigSources {
  readonly env: Environment;
  /** The folder that relative paths on the command line and in the environment start from. */
  readonly cwd: string;
  /** The folder that `~/` means. */
  readonly home: string;
  /** Reads a file as text; throws Node's errors with a `code`. */
  readonly readText: (path: string) => string;
  /** Returns whether an absolute path is a program that this process may run. */
  readonly isProgram: (path: string) => boolean;
}

/** Makes paths in the config file absolute: relative ones start from its folder, `~/` is the home folder. */
export function pathResolver(configPath: string, { cwd, home }: ConfigSources): (path: string) => string {
  const folder = dirname(resolve(cwd, configPath));
  return (path) => (path.startsWith('~/') ? resolve(home, path.slice(2)) : resolve(folder, path));
}
