import { ask, type AskOptions } from '../../test/support/e2e/http-client.ts';
import { until } from '../../test/support/e2e/until.ts';
import type { Running } from './process.ts';

/** A server that is measured. */
export interface Contestant {
  /** Its name in the results. */
  readonly name: string;
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  /** PEM of the authority of its certificate, if it speaks https. */
  readonly ca?: string | undefined;
  /** The header Authorization that its clients send, if they send one. */
  readonly authorization?: string | undefined;
  readonly pid: number;
}

/** A contestant that runs until it is disposed of. */
export interface Server extends Contestant, AsyncDisposable {
  output(): Promise<string>;
}

/** Returns the server once it answers `path` with 200; from then on the server owns the process. */
export async function answering(
  { name, url, ca }: Omit<Contestant, 'pid'>,
  process: Running,
  path: string,
): Promise<Server> {
  const answer = await until(`${name} answers`, async () => {
    if (process.hasExited()) return 'ended';
    return (await ask(`${url}${path}`, { discard: true, ...by(ca) })).status === 200 ? 'answered' : undefined;
  }).catch((error: unknown) => error);
  if (answer !== 'answered') {
    await process[Symbol.asyncDispose]();
    const output = (await process.output()).slice(-4000);
    throw new Error(`${name} did not start:\n${output}`, { cause: answer });
  }
  return {
    name,
    url,
    ca,
    pid: process.pid,
    output: async () => process.output(),
    [Symbol.asyncDispose]: async () => process[Symbol.asyncDispose](),
  };
}

/** Returns how a contestant is asked. @param ca as Contestant has it */
export function by(ca: string | undefined): Pick<AskOptions, 'by'> {
  return ca === undefined ? {} : { by: { ca } };
}
