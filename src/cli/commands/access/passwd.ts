import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { fileProblem, passwordProblem, removeUser, setPassword } from '../../../access/users/change-users.ts';
import { userProblem } from '../../../access/users/htpasswd.ts';
import { escapeControls } from '../../../text/controls.ts';
import { EXIT_FAILED, EXIT_USAGE } from '../../terminal/exit-codes.ts';
import { readConfig } from '../../terminal/read-config.ts';
import { readPassword } from '../../terminal/read-password.ts';

interface PasswdOptions {
  readonly config?: string;
  readonly file?: string;
  readonly delete?: boolean;
}

/** `larder passwd`: sets the password of a user. A running server takes it within a second. */
export function passwdCommand(): Command {
  return new Command('passwd')
    .description(
      'set the password of a user, or add the user: asks for it, or reads a line of standard input',
    )
    .argument('<user>', 'the name of the user')
    .option('--config <file>', 'the configuration file (default: LARDER_CONFIG, else config.yaml)')
    .option('--file <file>', 'the file of users (default: access.users of the configuration)')
    .option('--delete', 'remove the user')
    .addHelpText(
      'after',
      '\nExamples:\n  larder passwd alice\n  larder passwd alice --file /etc/larder/users\n  larder passwd alice --delete\n',
    )
    .action(passwd);
}

async function passwd(user: string, options: PasswdOptions): Promise<void> {
  const problem = userProblem(user);
  if (problem !== undefined) return fail(problem, EXIT_USAGE);
  const path = options.file ?? configuredPath(options.config);
  if (path === undefined) return;
  const shown = escapeControls(path);
  if (options.delete === true) {
    if (await removeUser(path, user, pause)) return done(`removed ${user} from ${shown}`, path);
    return fail(`${shown} has no user ${user}`, EXIT_FAILED);
  }
  const password = await readPassword(process.stdin);
  const mistake = passwordProblem(password);
  if (mistake !== undefined) return fail(mistake, EXIT_FAILED);
  await setPassword({ path, user, password }, pause);
  return done(`set the password of ${user} in ${shown}`, path);
}

/** Tells what was done, and what else keeps a server from using the file. */
async function done(message: string, path: string): Promise<void> {
  console.log(message);
  const problem = await fileProblem(path);
  if (problem !== undefined) fail(`the file cannot be used yet: ${escapeControls(problem)}`, EXIT_FAILED);
}

/** @returns undefined if there is none, which has been told */
function configuredPath(option: string | undefined): string | undefined {
  const config = readConfig(option);
  if (config === undefined) {
    process.exitCode = EXIT_USAGE;
    return undefined;
  }
  const path = config.access?.users;
  if (path === undefined) {
    fail('the configuration names no file of users: set access.users, or name one by --file', EXIT_USAGE);
  }
  return path;
}

function fail(message: string, exitCode: number): void {
  console.error(`larder: ${message}`);
  process.exitCode = exitCode;
}
