import type { Command } from 'commander';

/** Characters in a line of a help text that is written into a file. */
const WIDTH = 110;

const HEAD = `# The command line

This page is written from the commands themselves: \`larder COMMAND --help\` prints the same. Exit codes: 0 done, 1 failed
(or what was asked is not so), 2 the command line or the configuration is wrong.

| commands                                        | need                                                                                             |
| ----------------------------------------------- | ------------------------------------------------------------------------------------------------ |
| serve                                           | the cache directory, which it locks: a second server on the same directory is refused            |
| those that look after the cache, export, import | the cache directory: through the server that runs on it, else by themselves, under the same lock |
| check, access, passwd, token                    | the configuration only                                                                           |
| those that ask a registry, completion           | nothing: no server, no cache, no configuration ([how they ask](asking.md))                       |
`;

/** Writes the reference of the commands, as Markdown. */
export function renderManual(program: Command): string {
  const commands = commandsOf(program).map((command) => {
    return `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command).trimEnd()}\n\`\`\`\n`;
  });
  return [HEAD, ...commands].join('\n');
}

/** Returns the commands that do something, and not the groups of them. */
export function commandsOf(command: Command): readonly Command[] {
  const isGroup = command.commands.length > 0;
  return isGroup ? command.commands.flatMap(commandsOf) : [command];
}

/** Returns a command as it is typed: `larder token create`. */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Returns what `--help` prints, with the examples behind the options. */
export function helpOf(command: Command): string {
  let text = '';
  const writeOut = (more: string): void => void (text += more);
  command.configureOutput({ writeOut, getOutHelpWidth: () => WIDTH, getOutHasColors: () => false });
  command.outputHelp();
  return text;
}
