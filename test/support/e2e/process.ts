import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { onTestFailed } from 'vitest';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output, apart from standard error. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  /** Returns its output so far. */
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<Exit>;
  /** Returns whether it has ended. */
  hasExited(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, by default with SIGTERM, and kills it after `graceMs` (default: 10 s). */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<Exit>;
}

export interface ProcessOptions {
  /** Changes to this process's own environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface RunOptions extends ProcessOptions {
  /** What it reads from standard input; absent: nothing. */
  readonly input?: string | Uint8Array;
}

/** Starts a program in a process group of its own. Its output is printed when the running test fails. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): RunningProcess {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exited = exitOf(child, stdout, stderr);
  let ended = false;
  // A test that timed out does not get to the end where it would stop the program.
  const leave = (): void => killGroup(child);
  process.once('exit', leave);
  const onEnd = (): void => {
    ended = true;
    process.off('exit', leave);
  };
  void exited.then(onEnd, onEnd);
  const running: RunningProcess = {
    pid: child.pid ?? 0,
    stdout,
    stderr,
    exited,
    hasExited: () => ended,
    kill: (signal) => void child.kill(signal),
    stop: async (signal = 'SIGTERM', graceMs = 10_000) => stop(child, exited, signal, graceMs),
    async [Symbol.asyncDispose]() {
      if (!ended) await running.stop();
    },
  };
  printOnFailure(`${command} ${args.join(' ')}`, () => `${stdout()}${stderr()}`);
  return running;
}

/** Runs a program. @throws Error with the output if the program cannot be run or its exit code is not 0 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const exit = await attempt(command, args, options);
  if (exit.code === 0) return exit.stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${exit.code}:\n${exit.stdout}${exit.stderr}`);
}

/** Runs a program to its end, and accepts any exit code. */
export async function attempt(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Exit> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A program that ends without reading is judged by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return exitOf(child, collect(child.stdout), collect(child.stderr));
}

function collect(stream: NonNullable<ChildProcess['stdout']>): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

async function exitOf(child: ChildProcess, stdout: () => string, stderr: () => string): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout: stdout(), stderr: stderr() };
}

async function stop(
  child: ChildProcess,
  exited: Promise<Exit>,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<Exit> {
  child.kill(signal);
  const timer = setTimeout(() => killGroup(child), graceMs);
  return exited.finally(() => clearTimeout(timer));
}

/** Kills the whole group, which belongs to this start alone: a daemon that does not end may have children. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/** Prints the output if the test fails. Outside of a test (in beforeAll), e2e-scope.ts prints it. */
function printOnFailure(title: string, output: () => string): void {
  try {
    onTestFailed(() => console.error(`--- ${title}\n${output().slice(-8_000)}`));
  } catch {
    return;
  }
}
