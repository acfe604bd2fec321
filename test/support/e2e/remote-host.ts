import { randomInt } from 'node:crypto';
import { attempt, run, startProcess, type RunningProcess } from './process.ts';

/** A host of its own on a network of its own (a network namespace and a veth pair), which can be cut off. */
export interface RemoteHost extends AsyncDisposable {
  readonly address: string;
  /** The address at which that host reaches this machine. */
  readonly nearAddress: string;
  /** The file of its network namespace, for nsenter. */
  readonly namespace: string;
  /** Starts a program there; it ends with the host. */
  start(command: string, args: readonly string[]): RunningProcess;
  /** Drops every packet to it from now on: no answer, no refusal. */
  cutOff(): Promise<void>;
}

/** Returns why there can be no such host here; undefined if there can. */
export async function whyNoRemoteHost(): Promise<string | undefined> {
  try {
    const host = await remoteHost();
    await host[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error);
  }
}

/** Makes such a host. @throws Error if this process may not make network namespaces */
export async function remoteHost(): Promise<RemoteHost> {
  const id = randomInt(256);
  const name = `larder-${process.pid}-${id}`;
  const [near, far] = [`ld${id}n`, `ld${id}f`];
  const [nearAddress, address] = [`10.213.${id}.1`, `10.213.${id}.2`];
  const ip = (...args: string[]): Promise<string> => run('ip', ['netns', 'exec', name, 'ip', ...args]);
  await run('ip', ['netns', 'add', name]);
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => void (await attempt('ip', ['netns', 'delete', name])));
  await run('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name]);
  await run('ip', ['address', 'add', `${nearAddress}/24`, 'dev', near]);
  await run('ip', ['link', 'set', near, 'up']);
  await ip('address', 'add', `${address}/24`, 'dev', far);
  await ip('link', 'set', far, 'up');
  const mac = /link\/ether (\S+)/.exec(await ip('link', 'show', far))?.[1] ?? '';
  const owned = stack.move();
  return {
    address,
    nearAddress,
    namespace: `/run/netns/${name}`,
    start: (command, args) => owned.use(startProcess('ip', ['netns', 'exec', name, command, ...args])),
    async cutOff() {
      // Its address is removed without notice: packets still arrive at its card and are dropped.
      await run('ip', ['neighbour', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', near]);
      await ip('address', 'flush', 'dev', far);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
