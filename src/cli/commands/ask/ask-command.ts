import { Command } from 'commander';
import { AskError } from '../../../asking/error.ts';
import type { Askers } from '../../../asking/askers.ts';
import { openAskers, type AskingOptions } from '../../../app/asking.ts';
import { UpstreamError } from '../../../upstream/error.ts';
import { EXIT_FAILED, EXIT_USAGE } from '../../terminal/exit-codes.ts';

export interface AskOptions extends AskingOptions {
  readonly json?: boolean;
}

/** Makes a command that asks registries, with the options that all such commands have. */
export function askCommand(name: string): Command {
  return new Command(name)
    .option('--insecure', 'ask by plain http')
    .option('--ca <file>', "PEM certificates to trust besides the system's")
    .option('--json', 'print JSON');
}

/** Adds the option to ask through a mirror. */
export function withMirror(command: Command): Command {
  return command.option('--via <mirror>', 'ask through a Larder, such as localhost:5000');
}

/** Does a command's work, and sets the exit code if it fails. */
export async function withAskers(
  options: AskOptions,
  work: (askers: Askers) => Promise<void>,
): Promise<void> {
  let askers: Askers | undefined;
  try {
    askers = openAskers(options);
    await work(askers);
  } catch (error) {
    if (!(error instanceof AskError) && !(error instanceof UpstreamError)) throw error;
    console.error(`larder: ${error.message}`);
    process.exitCode = error instanceof AskError ? EXIT_USAGE : EXIT_FAILED;
  } finally {
    await askers?.close();
  }
}
