import './thread-pool.ts';
import { CommanderError } from 'commander';
import { larder } from './program.ts';
import { EXIT_FAILED, EXIT_USAGE } from './terminal/exit-codes.ts';
import { failIfLost } from './terminal/lost-output.ts';

// The server writes its log by other means.
if (process.argv[2] !== 'serve') failIfLost(process.stdout);

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
