import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { DISTRIBUTION_3 } from './distribution-3.ts';
import { run } from './process.ts';

/** Returns facts about the machine, by name. */
export async function describeMachine(): Promise<Readonly<Record<string, string>>> {
  return {
    CPU: cpus()[0]?.model.trim() ?? 'unknown',
    cores: String(availableParallelism()),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${await distributionName()}, ${type()} ${release()}`,
    Larder: await describeSources(),
    Node: process.version,
    distribution: await versionOf('docker-registry', ['--version']),
    'distribution 3': await versionOf(DISTRIBUTION_3, ['--version']),
    nginx: await versionOf('nginx', ['-v']),
    wrk: await versionOf('wrk', ['--version']),
  };
}

async function describeSources(): Promise<string> {
  const git = async (...args: string[]): Promise<string> => run('git', args, { cwd: import.meta.dirname });
  const commit = (await git('rev-parse', '--short=10', 'HEAD')).trim();
  const changes = await git('status', '--porcelain', '--', ':/src');
  return changes === '' ? commit : `${commit}, and changes to it`;
}

async function distributionName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1] ?? 'unknown';
}

/** Returns the version that a program prints; some print it to standard error, some exit with an error. */
async function versionOf(program: string, args: readonly string[]): Promise<string> {
  const text = await run('sh', ['-c', '"$0" "$@" 2>&1 || true', program, ...args]);
  return /\d+\.\d+\S*/.exec(text)?.[0] ?? 'unknown';
}
