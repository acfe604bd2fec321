import { existsSync } from 'node:fs';
import { AskError } from '../../asking/error.ts';
import { quoted } from '../../text/quoted.ts';

/** What no reference begins or ends with. */
const PATH = /^\.{0,2}\/|\/$/;

/**
 * Refuses a name of the command line that can only be a path, where a file was looked for and not found: as a reference
 * it would be refused with words about repositories.
 * @throws AskError
 */
export function requireNoPath(name: string): void {
  if (!PATH.test(name)) return;
  throw new AskError(existsSync(name) ? `${quoted(name)} is no file` : `there is no file ${quoted(name)}`);
}
