import { Command } from 'commander';
import { accessCommand } from './commands/access/access.ts';
import { passwdCommand } from './commands/access/passwd.ts';
import { tokenCommand } from './commands/access/token.ts';
import { catalogCommand } from './commands/ask/catalog.ts';
import { digestCommand } from './commands/ask/digest.ts';
import { latestCommand } from './commands/ask/latest.ts';
import { lockCommand } from './commands/ask/lock.ts';
import { manifestCommand } from './commands/ask/manifest.ts';
import { outdatedCommand } from './commands/ask/outdated.ts';
import { referrersCommand } from './commands/ask/referrers.ts';
import { tagsCommand } from './commands/ask/tags.ts';
import { exportCommand } from './commands/bundles/export.ts';
import { importCommand } from './commands/bundles/import.ts';
import { jobsCommand } from './commands/cache/jobs.ts';
import { lsCommand } from './commands/cache/ls.ts';
import { pinCommand, unpinCommand } from './commands/cache/pin.ts';
import { rmCommand } from './commands/cache/rm.ts';
import { statsCommand } from './commands/cache/stats.ts';
import { verifyCommand } from './commands/cache/verify.ts';
import { checkCommand } from './commands/check.ts';
import { warmCommand } from './commands/cache/warm.ts';
import { completionCommand } from './commands/completion.ts';
import { serveCommand } from './commands/serve.ts';
import { version } from '../app/version.ts';

/** The commands by what they are for. */
const GROUPS: readonly (readonly [heading: string, commands: () => readonly Command[]])[] = [
  ['Serving:', () => [serveCommand(), checkCommand()]],
  [
    'Asking a registry:',
    () => [
      tagsCommand(),
      latestCommand(),
      manifestCommand(),
      digestCommand(),
      referrersCommand(),
      outdatedCommand(),
      lockCommand(),
      catalogCommand(),
    ],
  ],
  [
    'Looking after the cache:',
    () => [
      lsCommand(),
      statsCommand(),
      pinCommand(),
      unpinCommand(),
      warmCommand(),
      rmCommand(),
      verifyCommand(),
      jobsCommand(),
    ],
  ],
  ['Carrying images:', () => [exportCommand(), importCommand()]],
  ['Who may pull:', () => [accessCommand(), passwdCommand(), tokenCommand()]],
  ['More:', () => [completionCommand()]],
];

/** Makes the program: one subcommand per file. Exit codes: 0 done, 1 failed, 2 usage or config. */
export function larder(): Command {
  const program = new Command('larder')
    .description('a pull-through cache and mirror for container registries')
    .version(version())
    .showHelpAfterError();
  for (const [heading, commands] of GROUPS) {
    program.commandsGroup(heading);
    for (const command of commands()) program.addCommand(command);
  }
  overrideExit(program);
  return program;
}

/** Commander would end the process itself, with exit code 1. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) overrideExit(each);
}
