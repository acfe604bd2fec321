import { parseUsers } from '../access/users/users.ts';
import type { ConfigProblem } from '../config/config-problem.ts';
import type { Config } from '../config/config.ts';
import { refusalToListen } from '../config/listen-refusal.ts';
import type { Refusal, RefusalContext } from '../config/refusal.ts';
import { errorCode } from '../config/source/referenced-files.ts';
import { quoted } from '../text/quoted.ts';

/**
 * Returns why a server must not start with a configuration without mistakes; undefined if it may. The commands of the
 * operator do not ask this: `larder passwd` makes the file of users.
 */
export const refusalToServe: Refusal = (config, context) =>
  refusalToListen(config, context.overrides) ?? usersProblem(config, context);

function usersProblem({ access }: Config, { readText }: RefusalContext): ConfigProblem | undefined {
  if (access?.users === undefined) return undefined;
  const message = usersMistake(access.users, readText);
  return message === undefined ? undefined : { path: ['access', 'users'], message };
}

function usersMistake(path: string, readText: RefusalContext['readText']): string | undefined {
  let text;
  try {
    text = readText(path);
  } catch (error) {
    return `expected a file that can be read, got ${quoted(path)} (${errorCode(error)}); "larder passwd NAME" makes it`;
  }
  try {
    parseUsers(path, text);
    return undefined;
  } catch (error) {
    return `expected names and bcrypt hashes, got ${error instanceof Error ? error.message : 'something else'}`;
  }
}
