import './thread-pool.ts';
import { Command, CommanderError } from 'commander';
import { accessCommand } from './commands/access/access.ts';
import { catalogCommand } from './commands/ask/catalog.ts';
import { importCommand } from './commands/bundles/import.ts';
import { digestCommand } from './commands/ask/digest.ts';
import { manifestCommand } from './commands/ask/manifest.ts';
import { outdatedCommand } from './commands/ask/outdated.ts';
import { referrersCommand } from './commands/ask/referrers.ts';
import { exportCommand } from './commands/bundles/export.ts';
import { checkCommand } from './commands/check.ts';
import { EXIT_FAILED, EXIT_USAGE } from './terminal/exit-codes.ts';
import { jobsCommand } from './commands/cache/jobs.ts';
import { lockCommand } from './commands/ask/lock.ts';
import { latestCommand } from './commands/ask/latest.ts';
import { lsCommand } from './commands/cache/ls.ts';
import { passwdCommand } from './commands/access/passwd.ts';
import { pinCommand, unpinCommand } from './commands/cache/pin.ts';
import { rmCommand } from './commands/cache/rm.ts';
import { serveCommand } from './commands/serve.ts';
import { statsCommand } from './commands/cache/stats.ts';
import { tagsCommand } from './commands/ask/tags.ts';
import { tokenCommand } from './commands/access/token.ts';
import { verifyCommand } from './commands/cache/verify.ts';
import { warmCommand } from './commands/cache/warm.ts';
import { version } from '../app/version.ts';

/** Makes the program: one subcommand per file. Exit codes: 0 done, 1 failed, 2 usage or config. */
function larder(): Command {
  const program = new Command('larder')
    .description('a pull-through cache and mirror for container registries')
    .version(version())
    .showHelpAfterError()
    .addCommand(serveCommand())
    .addCommand(checkCommand())
    .addCommand(tagsCommand())
    .addCommand(manifestCommand())
    .addCommand(digestCommand())
    .addCommand(referrersCommand())
    .addCommand(lockCommand())
    .addCommand(latestCommand())
    .addCommand(outdatedCommand())
    .addCommand(catalogCommand())
    .addCommand(lsCommand())
    .addCommand(rmCommand())
    .addCommand(pinCommand())
    .addCommand(unpinCommand())
    .addCommand(verifyCommand())
    .addCommand(warmCommand())
    .addCommand(statsCommand())
    .addCommand(importCommand())
    .addCommand(exportCommand())
    .addCommand(jobsCommand())
    .addCommand(accessCommand())
    .addCommand(passwdCommand())
    .addCommand(tokenCommand());
  overrideExit(program);
  return program;
}

/** Commander would end the process itself, with exit code 1. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) overrideExit(each);
}

try {
  await larder().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    console.error(error instanceof Error ? `larder: ${error.message}` : error);
    process.exitCode = EXIT_FAILED;
  }
}
