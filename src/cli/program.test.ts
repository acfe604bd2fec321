import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { commandsOf, helpOf, nameOf } from './manual.ts';
import { larder } from './program.ts';

/** The lines of a help's examples that run Larder, as words. `sha256:...` stands for a digest. */
function examplesOf(command: Command): readonly (readonly string[])[] {
  const [, examples = ''] = helpOf(command).split('\nExamples:\n');
  return examples.split('\n').flatMap((line) => {
    // A note stands behind three spaces, and another program in front of a pipe.
    const [typed = ''] = line.trim().split(/ {3,}/);
    const run = typed.split(' | ').find((part) => part.startsWith('larder '));
    return run === undefined ? [] : [wordsOf(run.replaceAll('sha256:...', digestOf('x')))];
  });
}

function wordsOf(line: string): readonly string[] {
  const words = line.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')).slice(1);
}

/** Makes the program, which then only notes which of its commands would run. */
function recording(): { readonly program: Command; readonly run: string[] } {
  const program = larder();
  const run: string[] = [];
  for (const command of commandsOf(program)) {
    command.configureOutput({ writeErr: () => undefined }).action(() => void run.push(nameOf(command)));
  }
  return { program, run };
}

const COMMANDS = commandsOf(larder()).map((command) => [nameOf(command), command] as const);

describe.each(COMMANDS)('%s --help', (name, command) => {
  test('has examples of the command, and each is accepted', async () => {
    const { program, run } = recording();
    // The next step may be another command.
    const examples = examplesOf(command);
    for (const words of examples) await program.parseAsync(words, { from: 'user' });
    expect(run).toContain(name);
    expect(run).toHaveLength(examples.length);
  });
});

test('larder --help shows every command in its group', () => {
  const help = helpOf(larder());
  const headings = help.match(/^[A-Z].*:$/gm);
  expect(headings).toEqual(
    expect.arrayContaining(['Serving:', 'Asking a registry:', 'Looking after the cache:']),
  );
  for (const command of larder().commands) expect(help).toContain(`\n  ${command.name()} `);
  expect(help.split('\nCommands:\n')[1]?.trim().split('\n')).toHaveLength(1);
});

test('a command that is misspelt is suggested', async () => {
  await expect(
    larder()
      .configureOutput({ writeErr: () => undefined })
      .parseAsync(['tgas'], { from: 'user' }),
  ).rejects.toThrow('Did you mean tags?');
});
