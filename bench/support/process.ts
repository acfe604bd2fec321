import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';

/** A program that runs until it is disposed of. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** Returns everything that it has written. */
  output(): Promise<string>;
  hasExited(): boolean;
}

export interface StartOptions {
  /** The file that its output goes to: reading a pipe would take a part of the measured machine. */
  readonly logFile: string;
}

/** Starts a program in a process group of its own. */
export async function start(
  command: string,
  args: readonly string[],
  { logFile }: StartOptions,
): Promise<Running> {
  await using log = await open(logFile, 'w');
  const child = spawn(command, args, {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  await once(child, 'spawn');
  const leave = (): void => killGroup(child);
  process.prependOnceListener('exit', leave);
  const exited = once(child, 'exit').finally(() => process.off('exit', leave));
  return {
    pid: child.pid ?? 0,
    output: async () => readFile(logFile, 'utf8'),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    async [Symbol.asyncDispose]() {
      // At SIGTERM Larder would wait for load balancers to notice.
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      const timer = setTimeout(leave, GRACE_MS);
      await exited.finally(() => clearTimeout(timer));
    },
  };
}

const GRACE_MS = 5000;

/** Runs a program to its end. @returns its standard output @throws Error with all of it unless it ends with 0 */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // Else it would go on writing into a directory that is being removed.
  const leave = (): void => killGroup(child);
  process.prependOnceListener('exit', leave);
  const chunks: { readonly isError: boolean; readonly text: Buffer }[] = [];
  child.stdout.on('data', (text: Buffer) => chunks.push({ isError: false, text }));
  child.stderr.on('data', (text: Buffer) => chunks.push({ isError: true, text }));
  const [code] = (await once(child, 'close').finally(() => process.off('exit', leave))) as [number | null];
  const textOf = (parts: typeof chunks): string => Buffer.concat(parts.map(({ text }) => text)).toString();
  if (code === 0) return textOf(chunks.filter(({ isError }) => !isError));
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${textOf(chunks)}`);
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
