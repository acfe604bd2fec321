import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { larder } from '../program.ts';
import { SCRIPTS } from './scripts.ts';
import { completionsOf } from './words.ts';

const COMPLETIONS = completionsOf(larder());

/** Runs a text in a real shell. */
function run(shell: string, args: readonly string[], text: string): string {
  const { stdout, stderr, status } = spawnSync(shell, [...args], { input: text, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

function isThere(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

const CASES: readonly (readonly [line: string, some: readonly string[], none: readonly string[]])[] = [
  ['larder ta', ['tags'], ['latest', '--match']],
  ['larder tags --ma', ['--match'], ['tags', '--limit']],
  ['larder tags alpine --', ['--match', '--limit', '--via'], ['--repair']],
  ['larder token cr', ['create'], ['list']],
  ['larder token create ci --ex', ['--expires'], ['--json']],
  ['larder completion ba', ['bash'], ['fish']],
];

describe.skipIf(!isThere('bash'))('bash', () => {
  test.each(CASES)('completes %s', (line, some, none) => {
    const words = line.split(' ');
    const quotedWords = words.map((word) => `'${word}'`).join(' ');
    const script = `${SCRIPTS.bash(COMPLETIONS)}
COMP_WORDS=(${quotedWords}); COMP_CWORD=${words.length - 1}; _larder; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = run('bash', [], script).trim().split('\n');
    expect(found).toEqual(expect.arrayContaining([...some]));
    expect(found.filter((word) => none.includes(word))).toEqual([]);
  });
});

describe.skipIf(!isThere('fish'))('fish', () => {
  test.each(CASES)('completes %s', (line, some, none) => {
    const script = `${SCRIPTS.fish(COMPLETIONS)}complete -C '${line}'`;
    const found = run('fish', ['--no-config', '-c', script], '')
      .trim()
      .split('\n')
      .map((each) => each.split('\t')[0]);
    expect(found).toEqual(expect.arrayContaining([...some]));
    expect(found.filter((word) => none.includes(word ?? ''))).toEqual([]);
  });
});

describe.skipIf(!isThere('zsh'))('zsh', () => {
  test.each(CASES)('completes %s', (line, some, none) => {
    const words = line.split(' ');
    // Outside of the line editor, what would be offered is printed instead.
    const stubs = `compadd() { shift; print -l -- "$@" }; _files() { }; compdef() { }`;
    const quotedWords = words.map((word) => `'${word}'`).join(' ');
    const script = `${stubs}\n${SCRIPTS.zsh(COMPLETIONS)}\nwords=(${quotedWords}); CURRENT=${words.length}; _larder`;
    const last = words.at(-1) ?? '';
    const found = run('zsh', ['-f'], script)
      .trim()
      .split('\n')
      .filter((word) => word.startsWith(last));
    expect(found).toEqual(expect.arrayContaining([...some]));
    expect(found.filter((word) => none.includes(word))).toEqual([]);
  });
});

test('every command and every option is in every script', () => {
  for (const write of Object.values(SCRIPTS)) {
    const script = write(COMPLETIONS);
    const missing = COMPLETIONS.flatMap(({ words }) => words).filter(
      ({ text }) => !script.includes(text.replace('--', '')),
    );
    expect(missing).toEqual([]);
  }
});
