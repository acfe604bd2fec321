import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt, run, startProcess, type Exit, type RunningProcess } from './process.ts';
import { remoteHost } from './remote-host.ts';
import { temporaryDirectory } from './temporary.ts';

/**
 * A machine that reaches this one by a network, and nothing else. It has the same programs and an `/etc` of its own, so
 * that files can be put where a page says.
 */
export interface SecondMachine extends AsyncDisposable {
  /** Its address for this machine. */
  readonly address: string;
  /** Writes a file below `/etc`. */
  place(path: string, text: string): Promise<void>;
  start(command: string, args: readonly string[]): RunningProcess;
  /** Runs a program on it. @throws Error with the output if the exit code is not 0 */
  run(command: string, ...args: readonly string[]): Promise<string>;
  attempt(command: string, ...args: readonly string[]): Promise<Exit>;
}

/** The files in /etc that programs need; the rest of this machine's /etc stays hidden. */
const SAME = ['passwd', 'group', 'nsswitch.conf', 'ssl/certs', 'containers/policy.json'];

/** Makes a mount namespace. `ip netns exec` would make one without the control groups, which dockerd needs. */
const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'slave'];
const WITH_ETC = 'mount --bind "$0" /etc && exec "$@"';

/**
 * Makes a second machine.
 * @param name this machine's name there
 * @throws Error if this process may not make network namespaces
 */
export async function secondMachine(name: string): Promise<SecondMachine> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('second-machine'));
  const host = stack.use(await remoteHost());
  const etc = join(directory.path, 'etc');
  const place = async (path: string, text: string): Promise<void> => {
    if (!path.startsWith('/etc/')) throw new Error(`not below /etc: "${path}"`);
    const file = join(directory.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  for (const path of SAME.filter((path) => existsSync(join('/etc', path))))
    await cp(join('/etc', path), join(etc, path), { recursive: true, verbatimSymlinks: true });
  await place('/etc/hosts', `127.0.0.1 localhost\n${host.nearAddress} ${name}\n`);
  const there = (command: string, args: readonly string[]): readonly [string, readonly string[]] => [
    'nsenter',
    [`--net=${host.namespace}`, ...OWN_MOUNTS, 'sh', '-c', WITH_ETC, etc, command, ...args],
  ];
  const owned = stack.move();
  return {
    address: host.address,
    place,
    start: (command, args) => startProcess(...there(command, args)),
    run: async (command, ...args) => run(...there(command, args)),
    attempt: async (command, ...args) => attempt(...there(command, args)),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
